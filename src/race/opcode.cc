#include "race/opcode.h"

#include <cstddef>
#include <iterator>

#include "absl/container/flat_hash_map.h"

namespace fthreadprof {
namespace {

const absl::flat_hash_map<std::string_view, Opcode>& OpcodesByName() {
  static const auto& opcodes = *new absl::flat_hash_map<std::string_view, Opcode>{
#define FTP_RACE_OPCODE(name) {#name, Opcode::name},
      FTP_RACE_OPCODES(FTP_RACE_OPCODE)
#undef FTP_RACE_OPCODE
  };
  return opcodes;
}

}  // namespace

Opcodes ResolveOpcodes(const OpcodeTable& table) {
  Opcodes opcodes{};
  for (size_t i = 0; i < table.size(); ++i) {
    const auto known = OpcodesByName().find(table[i].name);
    if (known != OpcodesByName().end()) opcodes[i] = known->second;
  }
  return opcodes;
}

bool EndsBlock(Opcode opcode) {
  switch (opcode) {
    case Opcode::JUMP_BACKWARD:
    case Opcode::JUMP_BACKWARD_NO_INTERRUPT:
    case Opcode::JUMP_FORWARD:
    case Opcode::INTERPRETER_EXIT:
    case Opcode::RAISE_VARARGS:
    case Opcode::RERAISE:
    case Opcode::RETURN_CONST:
    case Opcode::RETURN_VALUE:
      return true;
    default:
      return false;
  }
}

std::string_view BinaryOperator(uint32_t argument) {
  static constexpr std::string_view kOperators[] = {
      "+",  "&",   "//",  "<<", "@",  "*",  "%",  "|",   "**",  ">>", "-",  "/",  "^", "+=",
      "&=", "//=", "<<=", "@=", "*=", "%=", "|=", "**=", ">>=", "-=", "/=", "^=", "[]"};
  return argument < std::size(kOperators) ? kOperators[argument] : "?";
}

}  // namespace fthreadprof
