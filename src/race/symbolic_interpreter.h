// SymbolicInterpreter: the steps behind SymbolicCode. A forward data flow analysis: the state
// before each block grows until nothing changes (a value that differs between two ways into a block
// becomes a new one there, and what it depends on is the union), then one more pass notes the
// effects.
//
// Lifetime: for one Run(). Thread safety: none.
#ifndef FTHREADPROF_RACE_SYMBOLIC_INTERPRETER_H_
#define FTHREADPROF_RACE_SYMBOLIC_INTERPRETER_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "race/symbolic_code.h"

namespace fthreadprof {

InstructionSet Union(const InstructionSet& a, const InstructionSet& b);

class SymbolicInterpreter {
 public:
  SymbolicInterpreter(const LoggedCode& code, const Opcodes& opcodes, SymbolicCode& result)
      : code_(code), opcodes_(opcodes), result_(result), expressions_(result.expressions_) {}

  void Run();

 private:
  struct Value {
    ExpressionId expression = kNoExpression;
    InstructionSet depends_on;
  };
  // More than CPython's compiler keeps on the stack (it builds long displays and argument lists
  // piece by piece, STACK_USE_GUIDELINE in Python/codegen.c): larger numbers come from a corrupt
  // log.
  static constexpr uint32_t kMaxOperands = 1024;
  static constexpr size_t kMaxStack = 4096;

  // The stack may be known from its top only: what is missing below is unknown.
  struct State {
    std::vector<Value> stack;
    std::vector<Value> locals;  // kNoExpression: not bound
  };

  State EntryState();
  State HandlerState(uint32_t instruction);
  void RunFrom(uint32_t block, State state);
  void RunBlock(uint32_t block);
  bool Join(uint32_t instruction, const State& incoming, std::optional<State>& known);
  bool JoinValue(ExpressionId met, const Value& incoming, Value& known);

  // One instruction, by groups: each says whether it was one of its own.
  void Step(const LoggedInstruction& instruction);
  bool StepLocal(Opcode opcode, uint32_t argument);
  bool StepConstant(Opcode opcode, uint32_t argument);
  bool StepStack(Opcode opcode, uint32_t argument);
  bool StepVariable(Opcode opcode, uint32_t argument);
  bool StepAttribute(Opcode opcode, uint32_t argument);
  bool StepItem(Opcode opcode, uint32_t argument);
  bool StepOperator(Opcode opcode, uint32_t argument);
  bool StepIteration(Opcode opcode, const LoggedInstruction& instruction);
  bool StepCall(Opcode opcode, const LoggedInstruction& instruction);
  bool StepBuild(Opcode opcode, uint32_t argument);
  bool StepUse(Opcode opcode, uint32_t argument);
  bool StepTest(Opcode opcode);
  void StepOther(const LoggedInstruction& instruction);

  void Push(Value value);
  void PushUnknown(InstructionSet depends_on = {});
  Value Pop();
  std::vector<Value> PopSome(uint32_t count);  // the topmost is the last
  void Deepen(size_t depth);
  Value& Top(size_t depth = 1) { return state_.stack[state_.stack.size() - depth]; }

  void LoadFast(uint32_t local);
  void StoreFast(uint32_t local);
  void LoadName(ExpressionId variable);
  void Call(const Value& callee, const Value& self, const std::vector<Value>& arguments);
  void LoadMethod(const Value& owner, std::string_view name);
  void BinaryOperation(uint32_t argument);
  // Notes the effect of the current instruction, which is also the read that a value depends on.
  void Note(Effect effect);
  InstructionSet Reading(const std::vector<const Value*>& values) const;

  std::string_view NameAt(uint32_t index) const;
  std::string_view LocalAt(uint32_t index) const;
  ExpressionId NameOrGlobal(uint32_t index);

  const LoggedCode& code_;
  const Opcodes& opcodes_;
  SymbolicCode& result_;
  ExpressionTable& expressions_;
  std::vector<std::optional<State>> before_;  // by block
  std::set<uint32_t> pending_;                // blocks
  State state_;
  uint32_t current_ = 0;  // instruction
  bool noting_ = false;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_SYMBOLIC_INTERPRETER_H_
