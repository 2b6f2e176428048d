// A HookTable says at which places of CPython's functions which hooks of race_abi.h are called. One
// table a minor version of CPython (instrument/cpython/); docs/race-instrumentation.md has the
// grammar.
//
// Shared by the compiler plugin, which applies the rows, and by fthreadprof, which tells which rows
// were not applied. Plain C++ without exceptions and RTTI, as LLVM's plugins are. Immutable once
// parsed. Errors are sentences that begin with the line's number.
#ifndef FTHREADPROF_INSTRUMENT_PASS_HOOK_TABLE_H_
#define FTHREADPROF_INSTRUMENT_PASS_HOOK_TABLE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fthreadprof {

// What is given to a hook for one of its parameters.
struct HookArgument {
  enum class Kind {
    kArgument,  // argument `index` of the call, or of the function
    kLoad,      // what stands `offset` bytes behind the pointer that argument `index` is
    kReturn,    // what the call, or the function, returns
    kConstant,  // `offset` itself
  };
  Kind kind = Kind::kArgument;
  bool of_function = false;  // written "f3": of the function, though the row is about a call
  unsigned index = 0;
  int64_t offset = 0;
  int64_t tag = 0;  // of kLoad: the bits to clear in what was loaded
  char type = 'p';  // of the hook's parameter, a letter of race_abi.h
};

struct HookRow {
  // At one place of the code, rows are applied in this order of places, then in the table's.
  enum class Place { kEntry, kAfterCall, kBeforeCall, kExit };
  unsigned line = 0;  // in the table, from 1
  Place place = Place::kEntry;
  std::string file;      // where the function is defined, as in "listobject.c"; empty: anywhere
  std::string function;  // where the call is inserted
  std::string callee;    // for kAfterCall and kBeforeCall
  std::string hook;      // without "ftp_race_"
  std::vector<HookArgument> arguments;
  bool has_operation = false;
  uint32_t operation = 0;
  // Only called when argument `condition` is not NULL (kIf) or NULL (kUnless).
  enum class Condition { kNone, kIf, kUnless };
  Condition condition = Condition::kNone;
  HookArgument condition_argument;
  bool always = false;    // not guarded by ftp_race_tracking
  bool optional = false;  // may be applied nowhere
  std::string text;       // the row as written
};

class HookTable {
 public:
  // Returns an empty string, or what is wrong: "line 7: there is no hook 'lst_read'".
  [[nodiscard]] static std::string Parse(std::string_view text, HookTable& table);

  const std::vector<HookRow>& rows() const { return rows_; }
  // The versions of CPython ("3.13.5") that were built and tested with this table.
  const std::vector<std::string>& verified() const { return verified_; }
  bool IsVerified(std::string_view version) const;

 private:
  std::string ParseLine(const std::vector<std::string>& words, HookRow& row);

  std::vector<HookRow> rows_;
  std::vector<std::string> verified_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_INSTRUMENT_PASS_HOOK_TABLE_H_
