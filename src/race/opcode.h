// The opcodes whose meaning the analysis knows, by CPython's names (3.13 to 3.15); numbers differ
// from version to version. Any other is understood by what it pops and pushes.
//
// Thread safety: pure functions.
#ifndef FTHREADPROF_RACE_OPCODE_H_
#define FTHREADPROF_RACE_OPCODE_H_

#include <array>
#include <string_view>

#include "race/race_log_reader.h"

namespace fthreadprof {

// clang-format off
#define FTP_RACE_OPCODES(X)                                                                        \
  X(BEFORE_WITH) X(BEFORE_ASYNC_WITH) X(BINARY_OP) X(BINARY_SLICE) X(BINARY_SUBSCR)                \
  X(BUILD_CONST_KEY_MAP) X(BUILD_LIST) X(BUILD_MAP) X(BUILD_SET) X(BUILD_SLICE) X(BUILD_STRING)    \
  X(BUILD_TUPLE) X(CALL) X(CALL_FUNCTION_EX) X(CALL_INTRINSIC_1) X(CALL_KW) X(CHECK_EXC_MATCH)     \
  X(COMPARE_OP) X(CONTAINS_OP) X(CONVERT_VALUE) X(COPY) X(DELETE_ATTR) X(DELETE_DEREF)             \
  X(DELETE_FAST) X(DELETE_GLOBAL) X(DELETE_NAME) X(DELETE_SUBSCR) X(DICT_MERGE) X(DICT_UPDATE)     \
  X(FORMAT_SIMPLE) X(FORMAT_WITH_SPEC) X(FOR_ITER) X(GET_ITER) X(GET_LEN) X(IMPORT_FROM)           \
  X(IMPORT_NAME) X(INTERPRETER_EXIT) X(IS_OP) X(JUMP_BACKWARD) X(JUMP_BACKWARD_NO_INTERRUPT)       \
  X(JUMP_FORWARD) X(LIST_APPEND) X(LIST_EXTEND) X(LOAD_ATTR) X(LOAD_COMMON_CONSTANT) X(LOAD_CONST) X(LOAD_DEREF)           \
  X(LOAD_FAST) X(LOAD_FAST_AND_CLEAR) X(LOAD_FAST_BORROW) X(LOAD_FAST_BORROW_LOAD_FAST_BORROW)     \
  X(LOAD_FAST_CHECK) X(LOAD_FAST_LOAD_FAST) X(LOAD_FROM_DICT_OR_DEREF)                             \
  X(LOAD_FROM_DICT_OR_GLOBALS) X(LOAD_GLOBAL) X(LOAD_NAME) X(LOAD_SMALL_INT) X(LOAD_SPECIAL)       \
  X(LOAD_SUPER_ATTR) X(MAP_ADD) X(POP_JUMP_IF_FALSE) X(POP_JUMP_IF_NONE) X(POP_JUMP_IF_NOT_NONE)   \
  X(POP_JUMP_IF_TRUE) X(POP_TOP) X(PUSH_NULL) X(RAISE_VARARGS) X(RERAISE) X(RETURN_CONST)          \
  X(RETURN_VALUE) X(SET_ADD) X(SET_FUNCTION_ATTRIBUTE) X(SET_UPDATE) X(STORE_ATTR)                 \
  X(STORE_DEREF) X(STORE_FAST) X(STORE_FAST_LOAD_FAST) X(STORE_FAST_MAYBE_NULL)                    \
  X(STORE_FAST_STORE_FAST) X(STORE_GLOBAL) X(STORE_NAME) X(STORE_SLICE) X(STORE_SUBSCR) X(SWAP)    \
  X(TO_BOOL) X(UNARY_INVERT) X(UNARY_NEGATIVE) X(UNARY_NOT) X(UNPACK_EX) X(UNPACK_SEQUENCE)
// clang-format on

enum class Opcode {
  kOther,
#define FTP_RACE_OPCODE(name) name,
  FTP_RACE_OPCODES(FTP_RACE_OPCODE)
#undef FTP_RACE_OPCODE
};

using Opcodes = std::array<Opcode, 256>;

// What the numbers of one interpreter mean.
Opcodes ResolveOpcodes(const OpcodeTable& table);

// Control never goes on to the next instruction.
bool EndsBlock(Opcode opcode);
// The sign of BINARY_OP's argument ("+", "+=", "[]"); "?" when there is none. `_nb_ops` of
// Lib/opcode.py; 3.13 to 3.15 differ only in "[]", which 3.14 added at the end.
std::string_view BinaryOperator(uint32_t argument);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_OPCODE_H_
