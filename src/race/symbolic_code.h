// SymbolicCode: what each instruction of a code object does to which named thing, and what the
// values that it stores or tests depend on. Made by one abstract interpretation over the control
// flow graph; see expression.h for how values are told apart.
//
// Lifetime: owns all it holds; refers to nothing. Thread safety: immutable once made.
// Bounds: code of more than kMaxInstructions is not looked at, and has no effects.
#ifndef FTHREADPROF_RACE_SYMBOLIC_CODE_H_
#define FTHREADPROF_RACE_SYMBOLIC_CODE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "race/control_flow.h"
#include "race/expression.h"
#include "race/opcode.h"
#include "race/race_log_reader.h"

namespace fthreadprof {

// Instructions, ascending.
using InstructionSet = std::vector<uint32_t>;

enum class EffectKind : uint8_t {
  kNone,
  kLoadAttribute,   // object.name
  kStoreAttribute,  // delete too
  kLoadVariable,    // object is a kGlobal or kCell
  kStoreVariable,   // delete too
  kLoadItem,        // object[key]
  kStoreItem,       // delete too
  kLoadSlice,       // object[:]
  kStoreSlice,
  kCallMethod,    // object.name(operands); `with` and in-place operators too
  kCallFunction,  // name(operands)
  kIterate,       // over object
  kContains,      // key in object
  kUse,           // any other use of the object: truth, comparison, unpacking, formatting
};

struct Effect {
  EffectKind kind = EffectKind::kNone;
  ExpressionId object = kNoExpression;
  ExpressionId key = kNoExpression;
  std::string name = {};
  std::vector<ExpressionId> operands = {};
  InstructionSet stored = {};  // kStore*: what the stored value depends on
};

// A conditional jump, by its block.
struct Test {
  uint32_t block = 0;
  InstructionSet depends_on;
};

class SymbolicCode {
 public:
  static constexpr size_t kMaxInstructions = 20'000;

  SymbolicCode(const LoggedCode& code, const Opcodes& opcodes);

  // One for each instruction of the code, kNone where nothing is known.
  const std::vector<Effect>& effects() const { return effects_; }
  const std::vector<Test>& tests() const { return tests_; }
  const ControlFlow& control_flow() const { return control_flow_; }
  const ExpressionTable& expressions() const { return expressions_; }

 private:
  friend class SymbolicInterpreter;

  ControlFlow control_flow_;
  ExpressionTable expressions_;
  std::vector<Effect> effects_;
  std::vector<Test> tests_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_SYMBOLIC_CODE_H_
