#include "race/symbolic_interpreter.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fthreadprof {
namespace {

// Locals times blocks: bounds the memory of the states.
constexpr size_t kMaxValues = 2'000'000;
// A function that reads this much before it stores is beyond a person's grasp, too.
constexpr size_t kMaxDependencies = 512;

// Where two values meet there is a new one: told from what is defined by an instruction.
constexpr uint32_t MeetingPoint(uint32_t instruction) { return 0x80000000u | instruction; }

}  // namespace

InstructionSet Union(const InstructionSet& a, const InstructionSet& b) {
  if (a.empty() || a == b) return b;
  if (b.empty()) return a;
  InstructionSet both;
  std::ranges::set_union(a, b, std::back_inserter(both));
  if (both.size() > kMaxDependencies) both.resize(kMaxDependencies);
  return both;
}

void SymbolicInterpreter::Run() {
  const std::vector<ControlFlow::Block>& blocks = result_.control_flow_.blocks();
  if (blocks.empty() || (code_.locals.size() + 1) * blocks.size() > kMaxValues) return;
  before_.resize(blocks.size());
  RunFrom(0, EntryState());
  for (uint32_t block = 0; block < blocks.size(); ++block) {
    if (!before_[block]) RunFrom(block, HandlerState(blocks[block].begin));
  }
  noting_ = true;
  for (uint32_t block = 0; block < blocks.size(); ++block) RunBlock(block);
}

SymbolicInterpreter::State SymbolicInterpreter::EntryState() {
  State state;
  for (const LoggedCode::Local& local : code_.locals) {
    const bool is_argument = state.locals.size() < code_.argument_count;
    state.locals.push_back(
        {is_argument ? expressions_.Local(local.name, kAtEntry) : kNoExpression, {}});
  }
  return state;
}

SymbolicInterpreter::State SymbolicInterpreter::HandlerState(uint32_t instruction) {
  State state = EntryState();
  for (size_t i = code_.argument_count; i < state.locals.size(); ++i) {
    state.locals[i].expression =
        expressions_.Local(code_.locals[i].name, MeetingPoint(instruction));
  }
  return state;
}

void SymbolicInterpreter::RunFrom(uint32_t block, State state) {
  before_[block] = std::move(state);
  pending_.insert(block);
  // Each state can grow a bounded number of times; the bound is there for code that no compiler
  // made.
  for (size_t steps = 0; !pending_.empty() && steps < 64 * before_.size(); ++steps) {
    const uint32_t next = *pending_.begin();
    pending_.erase(pending_.begin());
    RunBlock(next);
    for (const uint32_t successor : result_.control_flow_.blocks()[next].successors) {
      const uint32_t begin = result_.control_flow_.blocks()[successor].begin;
      if (Join(begin, state_, before_[successor])) pending_.insert(successor);
    }
  }
  pending_.clear();
}

void SymbolicInterpreter::RunBlock(uint32_t block) {
  const ControlFlow::Block& bounds = result_.control_flow_.blocks()[block];
  state_ = *before_[block];
  for (current_ = bounds.begin; current_ < bounds.end; ++current_) {
    Step(code_.instructions[current_]);
  }
}

bool SymbolicInterpreter::Join(uint32_t instruction, const State& incoming,
                               std::optional<State>& known) {
  if (!known) {
    known = incoming;
    return true;
  }
  bool changed = false;
  const uint32_t here = MeetingPoint(instruction);
  // By their tops: the stack that an exception handler finds is known by what it pushed only.
  auto from = incoming.stack.rbegin();
  for (auto to = known->stack.rbegin(); to != known->stack.rend() && from != incoming.stack.rend();
       ++to, ++from) {
    changed |= JoinValue(expressions_.Unknown(here), *from, *to);
  }
  for (size_t i = 0; i < known->locals.size(); ++i) {
    const ExpressionId met = expressions_.Local(LocalAt(static_cast<uint32_t>(i)), here);
    changed |= JoinValue(met, incoming.locals[i], known->locals[i]);
  }
  return changed;
}

bool SymbolicInterpreter::JoinValue(ExpressionId met, const Value& incoming, Value& known) {
  ExpressionId joined = known.expression;
  if (joined == kNoExpression) joined = incoming.expression;
  if (incoming.expression != kNoExpression && incoming.expression != joined) joined = met;
  InstructionSet both = Union(known.depends_on, incoming.depends_on);
  const bool changed = joined != known.expression || both != known.depends_on;
  known = {joined, std::move(both)};
  return changed;
}

void SymbolicInterpreter::Push(Value value) { state_.stack.push_back(std::move(value)); }

void SymbolicInterpreter::PushUnknown(InstructionSet depends_on) {
  Push({expressions_.Unknown(current_), std::move(depends_on)});
}

SymbolicInterpreter::Value SymbolicInterpreter::Pop() {
  if (state_.stack.empty()) return {expressions_.Unknown(current_), {}};
  Value value = std::move(state_.stack.back());
  state_.stack.pop_back();
  return value;
}

std::vector<SymbolicInterpreter::Value> SymbolicInterpreter::PopSome(uint32_t count) {
  if (count > kMaxOperands) {
    state_.stack.clear();
    count = 0;
  }
  std::vector<Value> values(count);
  for (size_t i = values.size(); i-- > 0;) values[i] = Pop();
  return values;
}

void SymbolicInterpreter::Deepen(size_t depth) {
  while (state_.stack.size() < depth) {
    state_.stack.insert(state_.stack.begin(), {expressions_.Unknown(current_), {}});
  }
}

InstructionSet SymbolicInterpreter::Reading(const std::vector<const Value*>& values) const {
  InstructionSet all = {current_};
  for (const Value* value : values) all = Union(all, value->depends_on);
  return all;
}

void SymbolicInterpreter::Note(Effect effect) {
  if (noting_) result_.effects_[current_] = std::move(effect);
}

std::string_view SymbolicInterpreter::NameAt(uint32_t index) const {
  return index < code_.names.size() ? std::string_view(code_.names[index]) : "?";
}

std::string_view SymbolicInterpreter::LocalAt(uint32_t index) const {
  return index < code_.locals.size() ? std::string_view(code_.locals[index].name) : "?";
}

}  // namespace fthreadprof
