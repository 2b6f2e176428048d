// Why the GIL of a free-threaded process is on, as far as it was seen.
//
// Lifetime: plain values. Thread safety: as any. Strings are of the target: UTF-8, but untrusted.
#ifndef FTHREADPROF_PROFILE_GIL_CAUSE_H_
#define FTHREADPROF_PROFILE_GIL_CAUSE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace fthreadprof {

// A place in Python code that an import came from.
struct ImportPlace {
  std::string function;
  std::string file;
  int line = 0;

  friend bool operator==(const ImportPlace&, const ImportPlace&) = default;
};

// A module that is written in C.
struct ImportedModule {
  std::string name;  // as in sys.modules
  std::string file;
  bool can_run_without = false;  // it declares that it can run without the GIL

  friend bool operator==(const ImportedModule&, const ImportedModule&) = default;
};

struct GilCause {
  // More are not kept: of a stack the innermost ones, of modules the last.
  static constexpr size_t kMaxStack = 256;
  static constexpr size_t kMaxImported = 256;

  bool by_option = false;        // PYTHON_GIL=1 or -X gil=1: no module is to blame
  std::string module{};          // whose import turned it on; "" when that is not known
  bool is_certain = false;       // the module lacks the declaration
  std::optional<double> at_s{};  // since the recording began; nothing: it was on when we came
  // Where the module was imported from, outermost first, without the import system's own frames.
  // Empty when the import was over before it was seen.
  std::vector<ImportPlace> stack{};
  // The extension modules that were imported since we came, until the one that did it was seen; not
  // those that are built into the interpreter.
  std::vector<ImportedModule> imported{};

  friend bool operator==(const GilCause&, const GilCause&) = default;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROFILE_GIL_CAUSE_H_
