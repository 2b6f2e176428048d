// What each opcode does to the symbolic state: the Step* functions of SymbolicInterpreter. Long,
// for it is one small case after another; the stack effects are those of Python/bytecodes.c, 3.13
// to 3.15.
#include <iterator>
#include <string>
#include <utility>

#include "race/symbolic_interpreter.h"

namespace fthreadprof {

void SymbolicInterpreter::Step(const LoggedInstruction& instruction) {
  const Opcode opcode = opcodes_[instruction.opcode];
  const uint32_t argument = instruction.argument;
  if (state_.stack.size() > kMaxStack) state_.stack.clear();
  if (opcode != Opcode::kOther &&
      (StepLocal(opcode, argument) || StepConstant(opcode, argument) ||
       StepStack(opcode, argument) || StepVariable(opcode, argument) ||
       StepAttribute(opcode, argument) || StepItem(opcode, argument) ||
       StepOperator(opcode, argument) || StepIteration(opcode, instruction) ||
       StepCall(opcode, instruction) || StepBuild(opcode, argument) || StepUse(opcode, argument) ||
       StepTest(opcode))) {
    return;
  }
  StepOther(instruction);
}

void SymbolicInterpreter::LoadFast(uint32_t local) {
  if (local >= state_.locals.size() || state_.locals[local].expression == kNoExpression) {
    Push({expressions_.Local(LocalAt(local), current_), {}});
  } else {
    Push(state_.locals[local]);
  }
}

void SymbolicInterpreter::StoreFast(uint32_t local) {
  Value value = Pop();
  if (local >= state_.locals.size()) return;
  switch (expressions_[value.expression].kind) {
    case ExpressionKind::kConstant:
    case ExpressionKind::kCell:
    case ExpressionKind::kGlobal:
    case ExpressionKind::kAttribute:
    case ExpressionKind::kItem:
      break;  // has a name that says more than the local's
    default:
      value.expression = expressions_.Local(LocalAt(local), current_);
  }
  state_.locals[local] = std::move(value);
}

bool SymbolicInterpreter::StepLocal(Opcode opcode, uint32_t argument) {
  const uint32_t first = argument >> 4, second = argument & 15;
  switch (opcode) {
    case Opcode::LOAD_FAST:
    case Opcode::LOAD_FAST_BORROW:
    case Opcode::LOAD_FAST_CHECK:
      LoadFast(argument);
      return true;
    case Opcode::LOAD_FAST_LOAD_FAST:
    case Opcode::LOAD_FAST_BORROW_LOAD_FAST_BORROW:
      LoadFast(first);
      LoadFast(second);
      return true;
    case Opcode::LOAD_FAST_AND_CLEAR:
      LoadFast(argument);
      return true;
    case Opcode::STORE_FAST:
    case Opcode::STORE_FAST_MAYBE_NULL:
      StoreFast(argument);
      return true;
    case Opcode::STORE_FAST_LOAD_FAST:
      StoreFast(first);
      LoadFast(second);
      return true;
    case Opcode::STORE_FAST_STORE_FAST:
      StoreFast(first);
      StoreFast(second);
      return true;
    case Opcode::DELETE_FAST:
      if (argument < state_.locals.size()) state_.locals[argument] = {};
      return true;
    default:
      return false;
  }
}

bool SymbolicInterpreter::StepConstant(Opcode opcode, uint32_t argument) {
  // opcode._common_constants: 3.14 has the first five.
  static constexpr std::string_view kCommonConstants[] = {"AssertionError",
                                                          "NotImplementedError",
                                                          "tuple",
                                                          "all",
                                                          "any",
                                                          "list",
                                                          "set",
                                                          "None",
                                                          "''",
                                                          "True",
                                                          "False",
                                                          "-1"};
  switch (opcode) {
    case Opcode::LOAD_CONST:
      if (argument < code_.constants.size() && !code_.constants[argument].repr.empty()) {
        Push({expressions_.Constant(code_.constants[argument].repr), {}});
      } else {
        PushUnknown();
      }
      return true;
    case Opcode::LOAD_SMALL_INT:
      Push({expressions_.Constant(std::to_string(argument)), {}});
      return true;
    case Opcode::LOAD_COMMON_CONSTANT:
      if (argument < std::size(kCommonConstants)) {
        const std::string_view name = kCommonConstants[argument];
        Push({argument < 7 ? expressions_.Global(name) : expressions_.Constant(name), {}});
      } else {
        PushUnknown();
      }
      return true;
    case Opcode::PUSH_NULL:
      Push({expressions_.Null(), {}});
      return true;
    default:
      return false;
  }
}

bool SymbolicInterpreter::StepStack(Opcode opcode, uint32_t argument) {
  switch (opcode) {
    case Opcode::POP_TOP:
      Pop();
      return true;
    case Opcode::COPY:
    case Opcode::SWAP:
      if (argument == 0 || argument > kMaxOperands) return false;
      Deepen(argument);
      if (opcode == Opcode::SWAP) {
        std::swap(Top(), Top(argument));
      } else {
        Push(Value(Top(argument)));
      }
      return true;
    default:
      return false;
  }
}

ExpressionId SymbolicInterpreter::NameOrGlobal(uint32_t index) {
  return expressions_.Global(NameAt(index));
}

void SymbolicInterpreter::LoadName(ExpressionId variable) {
  Note(
      {.kind = EffectKind::kLoadVariable, .object = variable, .name = expressions_[variable].name});
  Push({variable, {current_}});
}

bool SymbolicInterpreter::StepVariable(Opcode opcode, uint32_t argument) {
  ExpressionId variable = kNoExpression;
  bool is_store = false;
  switch (opcode) {
    case Opcode::LOAD_FROM_DICT_OR_GLOBALS:
      Pop();
      [[fallthrough]];
    case Opcode::LOAD_NAME:
      LoadName(NameOrGlobal(argument));
      return true;
    case Opcode::LOAD_GLOBAL:
      LoadName(NameOrGlobal(argument >> 1));
      if ((argument & 1) != 0) Push({expressions_.Null(), {}});
      return true;
    case Opcode::LOAD_FROM_DICT_OR_DEREF:
      Pop();
      [[fallthrough]];
    case Opcode::LOAD_DEREF:
      LoadName(expressions_.Cell(LocalAt(argument)));
      return true;
    case Opcode::STORE_GLOBAL:
    case Opcode::STORE_NAME:
      is_store = true;
      [[fallthrough]];
    case Opcode::DELETE_GLOBAL:
    case Opcode::DELETE_NAME:
      variable = NameOrGlobal(argument);
      break;
    case Opcode::STORE_DEREF:
      is_store = true;
      [[fallthrough]];
    case Opcode::DELETE_DEREF:
      variable = expressions_.Cell(LocalAt(argument));
      break;
    default:
      return false;
  }
  Note({.kind = EffectKind::kStoreVariable,
        .object = variable,
        .name = expressions_[variable].name,
        .stored = is_store ? Pop().depends_on : InstructionSet()});
  return true;
}

void SymbolicInterpreter::LoadMethod(const Value& owner, std::string_view name) {
  Push({expressions_.Attribute(owner.expression, name), Reading({&owner})});
  Push(owner);
}

bool SymbolicInterpreter::StepAttribute(Opcode opcode, uint32_t argument) {
  static constexpr std::string_view kSpecial[] = {"__enter__", "__exit__", "__aenter__",
                                                  "__aexit__"};
  Effect effect = {.kind = EffectKind::kStoreAttribute};
  switch (opcode) {
    case Opcode::LOAD_ATTR: {
      const Value owner = Pop();
      const std::string_view name = NameAt(argument >> 1);
      Note({.kind = EffectKind::kLoadAttribute,
            .object = owner.expression,
            .name = std::string(name)});
      LoadMethod(owner, name);
      if ((argument & 1) == 0) Pop();
      return true;
    }
    case Opcode::LOAD_SPECIAL:
      LoadMethod(Pop(), argument < std::size(kSpecial) ? kSpecial[argument] : "?");
      return true;
    case Opcode::LOAD_SUPER_ATTR: {
      const Value owner = Pop();
      PopSome(2);
      LoadMethod(owner, NameAt(argument >> 2));
      if ((argument & 1) == 0) Pop();
      return true;
    }
    case Opcode::STORE_ATTR:
    case Opcode::DELETE_ATTR:
      effect.object = Pop().expression;
      effect.name = std::string(NameAt(argument));
      if (opcode == Opcode::STORE_ATTR) effect.stored = Pop().depends_on;
      Note(std::move(effect));
      return true;
    default:
      return false;
  }
}

bool SymbolicInterpreter::StepItem(Opcode opcode, uint32_t argument) {
  Effect effect = {.kind = EffectKind::kStoreItem};
  switch (opcode) {
    case Opcode::BINARY_OP:
    case Opcode::BINARY_SUBSCR:
      if (opcode == Opcode::BINARY_OP && BinaryOperator(argument) != "[]") return false;
      {
        const Value key = Pop(), container = Pop();
        Note(
            {.kind = EffectKind::kLoadItem, .object = container.expression, .key = key.expression});
        Push(
            {expressions_.Item(container.expression, key.expression), Reading({&container, &key})});
      }
      return true;
    case Opcode::BINARY_SLICE: {
      const std::vector<Value> bounds = PopSome(2);
      const Value container = Pop();
      effect.kind = EffectKind::kLoadSlice;
      effect.object = container.expression;
      Note(std::move(effect));
      PushUnknown(Reading({&container, &bounds[0], &bounds[1]}));
      return true;
    }
    case Opcode::STORE_SLICE:
      PopSome(2);
      effect.kind = EffectKind::kStoreSlice;
      effect.object = Pop().expression;
      effect.stored = Pop().depends_on;
      Note(std::move(effect));
      return true;
    case Opcode::STORE_SUBSCR:
    case Opcode::DELETE_SUBSCR:
      effect.key = Pop().expression;
      effect.object = Pop().expression;
      if (opcode == Opcode::STORE_SUBSCR) effect.stored = Pop().depends_on;
      Note(std::move(effect));
      return true;
    default:
      return false;
  }
}

void SymbolicInterpreter::BinaryOperation(uint32_t argument) {
  const std::string_view sign = BinaryOperator(argument);
  const Value right = Pop(), left = Pop();
  const bool in_place = sign.ends_with('=');
  Note({.kind = in_place ? EffectKind::kCallMethod : EffectKind::kUse,
        .object = left.expression,
        .name = std::string(sign),
        .operands = {right.expression}});
  // `x += [1]` changes a list, and x goes on naming it; 0 += 1 is no 0.
  const bool keeps_name =
      in_place && expressions_[left.expression].kind != ExpressionKind::kConstant;
  Push({keeps_name ? left.expression
                   : expressions_.Operation(sign, {left.expression, right.expression}),
        Reading({&left, &right})});
}

bool SymbolicInterpreter::StepOperator(Opcode opcode, uint32_t argument) {
  switch (opcode) {
    case Opcode::BINARY_OP:
      BinaryOperation(argument);
      return true;
    case Opcode::CONTAINS_OP:
    case Opcode::COMPARE_OP:
    case Opcode::IS_OP:
    case Opcode::CHECK_EXC_MATCH: {
      const Value right = Pop(), left = Pop();
      if (opcode == Opcode::CONTAINS_OP) {
        Note({.kind = EffectKind::kContains,
              .object = right.expression,
              .key = left.expression,
              .name = "in"});
      } else if (opcode == Opcode::COMPARE_OP) {
        Note({.kind = EffectKind::kUse,
              .object = left.expression,
              .name = "==",
              .operands = {right.expression}});
      }
      if (opcode == Opcode::CHECK_EXC_MATCH) Push(left);
      PushUnknown(Reading({&left, &right}));
      return true;
    }
    case Opcode::UNARY_NOT:
    case Opcode::UNARY_NEGATIVE:
    case Opcode::UNARY_INVERT: {
      const Value value = Pop();
      Push({expressions_.Operation(opcode == Opcode::UNARY_NEGATIVE ? "-" : "not",
                                   {value.expression}),
            Reading({&value})});
      return true;
    }
    default:
      return false;
  }
}

bool SymbolicInterpreter::StepIteration(Opcode opcode, const LoggedInstruction& instruction) {
  if (opcode == Opcode::GET_ITER) {
    const Value iterated = Pop();
    Note({.kind = EffectKind::kIterate, .object = iterated.expression});
    Push({expressions_.Iterator(iterated.expression), Reading({&iterated})});
    // From 3.15 on an index lies above the iterator.
    if (instruction.pushed - instruction.popped == 1) Push({expressions_.Null(), {}});
    return true;
  }
  if (opcode != Opcode::FOR_ITER) return false;
  Deepen(2);
  const bool has_index = expressions_[Top().expression].kind == ExpressionKind::kNull;
  const Value& iterator = Top(has_index ? 2 : 1);
  const Expression& expression = expressions_[iterator.expression];
  const bool is_iterator = expression.kind == ExpressionKind::kIterator;
  Note({.kind = EffectKind::kIterate,
        .object = is_iterator ? expression.operands[0] : iterator.expression});
  // The jump at the loop's end finds the same there: END_FOR takes the value off again.
  PushUnknown(Reading({&iterator}));
  return true;
}

void SymbolicInterpreter::Call(const Value& callee, const Value& self,
                               const std::vector<Value>& arguments) {
  const Expression& function = expressions_[callee.expression];
  const bool has_self = expressions_[self.expression].kind != ExpressionKind::kNull;
  const bool is_attribute = function.kind == ExpressionKind::kAttribute;
  const bool self_is_base = is_attribute && function.operands[0] == self.expression;
  std::vector<ExpressionId> operands;
  std::vector<const Value*> values = {&callee, &self};
  // CALL with a self that is not the method's object: a decorator, a comprehension.
  if (has_self && !self_is_base) operands.push_back(self.expression);
  for (const Value& argument : arguments) {
    operands.push_back(argument.expression);
    values.push_back(&argument);
  }
  // setattr(object, name, value), container.__setitem__(key, value)
  const bool stores = (function.name == "setattr" && arguments.size() == 3) ||
                      (function.name == "__setitem__" && arguments.size() == 2);
  Note({.kind = is_attribute ? EffectKind::kCallMethod : EffectKind::kCallFunction,
        .object = is_attribute ? function.operands[0] : callee.expression,
        .name = function.name,
        .operands = operands,
        .stored = stores ? arguments.back().depends_on : InstructionSet()});
  Push({expressions_.Call(callee.expression, operands), Reading(values)});
}

bool SymbolicInterpreter::StepCall(Opcode opcode, const LoggedInstruction& instruction) {
  switch (opcode) {
    case Opcode::CALL:
    case Opcode::CALL_KW: {
      if (opcode == Opcode::CALL_KW) Pop();  // the names
      const std::vector<Value> arguments = PopSome(instruction.argument);
      const Value self = Pop(), callee = Pop();
      Call(callee, self, arguments);
      return true;
    }
    case Opcode::CALL_FUNCTION_EX: {
      // 3.13 has a keyword dict if the argument says so, later ones always or null. Popped in all:
      // callee, null, arguments, and that.
      if (instruction.pushed - instruction.popped == -3) Pop();
      const Value arguments = Pop(), self = Pop(), callee = Pop();
      Call(callee, self, {arguments});
      return true;
    }
    case Opcode::BEFORE_WITH:
    case Opcode::BEFORE_ASYNC_WITH: {
      const Value manager = Pop();
      PushUnknown();  // its __exit__
      Note({.kind = EffectKind::kCallMethod,
            .object = manager.expression,
            .name = opcode == Opcode::BEFORE_WITH ? "__enter__" : "__aenter__"});
      PushUnknown(Reading({&manager}));
      return true;
    }
    default:
      return false;
  }
}

bool SymbolicInterpreter::StepBuild(Opcode opcode, uint32_t argument) {
  uint32_t taken = argument;
  switch (opcode) {
    case Opcode::BUILD_LIST:
    case Opcode::BUILD_SET:
    case Opcode::BUILD_SLICE:
    case Opcode::BUILD_STRING:
    case Opcode::BUILD_TUPLE:
      break;
    case Opcode::BUILD_MAP:
      taken = argument < kMaxOperands ? 2 * argument : argument;
      break;
    case Opcode::BUILD_CONST_KEY_MAP:
      taken = argument + 1;
      break;
    case Opcode::LIST_APPEND:
    case Opcode::LIST_EXTEND:
    case Opcode::SET_ADD:
    case Opcode::SET_UPDATE:
    case Opcode::DICT_MERGE:
    case Opcode::DICT_UPDATE:
    case Opcode::MAP_ADD: {
      // What is built is new and nobody else's; what is taken into it may be shared.
      const std::vector<Value> values = PopSome(opcode == Opcode::MAP_ADD ? 2 : 1);
      Note({.kind = EffectKind::kUse, .object = values.back().expression});
      if (argument == 0 || argument > kMaxOperands) return true;
      Deepen(argument);
      for (const Value& value : values) {
        Top(argument).depends_on = Union(Top(argument).depends_on, Reading({&value}));
      }
      return true;
    }
    default:
      return false;
  }
  InstructionSet depends_on;
  std::vector<ExpressionId> parts;
  for (const Value& value : PopSome(taken)) {
    depends_on = Union(depends_on, value.depends_on);
    parts.push_back(value.expression);
  }
  if (opcode == Opcode::BUILD_TUPLE) {
    Push({expressions_.Operation("tuple", std::move(parts)), std::move(depends_on)});
  } else {
    PushUnknown(std::move(depends_on));
  }
  return true;
}

bool SymbolicInterpreter::StepUse(Opcode opcode, uint32_t argument) {
  uint32_t pushed = 1;
  switch (opcode) {
    case Opcode::TO_BOOL:
    case Opcode::FORMAT_SIMPLE:
    case Opcode::CONVERT_VALUE:
    case Opcode::CALL_INTRINSIC_1:
      break;
    case Opcode::FORMAT_WITH_SPEC:
      Pop();
      break;
    case Opcode::GET_LEN:
      Push(Value(state_.stack.empty() ? Value{} : Top()));
      break;
    case Opcode::UNPACK_SEQUENCE:
      pushed = argument;
      break;
    case Opcode::UNPACK_EX:
      pushed = (argument & 0xff) + 1 + (argument >> 8);
      break;
    default:
      return false;
  }
  const Value value = Pop();
  Note({.kind = EffectKind::kUse, .object = value.expression});
  if (pushed > kMaxOperands) {
    state_.stack.clear();
    return true;
  }
  for (uint32_t i = 0; i < pushed; ++i) PushUnknown(Reading({&value}));
  return true;
}

bool SymbolicInterpreter::StepTest(Opcode opcode) {
  switch (opcode) {
    case Opcode::POP_JUMP_IF_FALSE:
    case Opcode::POP_JUMP_IF_TRUE:
    case Opcode::POP_JUMP_IF_NONE:
    case Opcode::POP_JUMP_IF_NOT_NONE: {
      Value tested = Pop();
      if (noting_) {
        result_.tests_.push_back(
            {result_.control_flow_.BlockOf(current_), std::move(tested.depends_on)});
      }
      return true;
    }
    default:
      return false;
  }
}

void SymbolicInterpreter::StepOther(const LoggedInstruction& instruction) {
  const int32_t popped = instruction.popped, pushed = instruction.pushed;
  const auto limit = static_cast<int32_t>(kMaxOperands);
  if (popped < 0 || pushed < 0 || popped > limit || pushed > limit) {
    state_.stack.clear();
    return;
  }
  InstructionSet depends_on;
  for (const Value& value : PopSome(static_cast<uint32_t>(popped))) {
    depends_on = Union(depends_on, value.depends_on);
  }
  for (int32_t i = 0; i < pushed; ++i) PushUnknown(depends_on);
}

}  // namespace fthreadprof
