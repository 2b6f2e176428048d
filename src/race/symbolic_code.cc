#include "race/symbolic_code.h"

#include "race/symbolic_interpreter.h"

namespace fthreadprof {
namespace {

const LoggedCode& NoCode() {
  static const auto& code = *new LoggedCode();
  return code;
}

const LoggedCode& Bounded(const LoggedCode& code) {
  return code.instructions.size() <= SymbolicCode::kMaxInstructions ? code : NoCode();
}

}  // namespace

SymbolicCode::SymbolicCode(const LoggedCode& code, const Opcodes& opcodes)
    : control_flow_(Bounded(code), opcodes), effects_(code.instructions.size()) {
  SymbolicInterpreter(Bounded(code), opcodes, *this).Run();
}

}  // namespace fthreadprof
