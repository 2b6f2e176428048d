// GilWatch watches the GIL of a free-threaded process: is it off, and if not, which import turned
// it on?
//
// CPython enables the GIL for the moment of each import of an extension module, and leaves it on
// for good when the module does not declare that it can run without. So a look while it is enabled
// finds the import in progress: the module's name and the Python stack. Which module it was is also
// told by sys.modules afterwards: the first one without the declaration.
//
// Lifetime: borrows memory. Thread safety: none.
#ifndef FTHREADPROF_CONTENTION_GIL_WATCH_H_
#define FTHREADPROF_CONTENTION_GIL_WATCH_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "process/process_memory.h"
#include "python/extension_modules.h"
#include "python/interpreter_reader.h"
#include "python/local_variables.h"
#include "python/runtime_locator.h"

namespace fthreadprof {

struct ImportPlace {
  std::string function;
  std::string file;
  int line = 0;
};

// An import that was seen in progress.
struct SeenImport {
  std::string module;
  std::vector<ImportPlace> stack;  // outermost first, without the import system's own frames
};

class GilWatch {
 public:
  using Clock = std::chrono::steady_clock;

  // REQUIRES: memory outlives the watch; `runtime` is of a free-threaded build.
  GilWatch(ProcessMemory& memory, const PythonRuntime& runtime);

  // Looks at the GIL, and where it has changed at imports and modules. Cheap while it has not.
  // Fails with kNotFound when the process is gone, kUnavailable when the interpreter is not there
  // yet or any more, kPermissionDenied.
  absl::Status Look();

  // The process has ended: what is not known by now is decided by what was seen.
  void Finish();

  // Whether the GIL is on for good.
  bool is_on() const { return is_on_; }
  // Whether it was on at the first look.
  bool was_on() const { return was_on_; }
  // When it was first seen on, if it was not at the first look.
  std::optional<Clock::time_point> turned_on() const { return turned_on_; }
  // The module that turned it on; empty while none is known that would have.
  const std::string& culprit() const { return culprit_; }
  // Whether that is certain, for it lacks the declaration.
  bool is_certain() const { return is_certain_; }
  // The culprit's import, when it was seen in progress.
  const std::optional<SeenImport>& culprit_import() const { return culprit_import_; }
  // All extension modules that were ever seen in sys.modules.
  const std::vector<ExtensionModule>& modules() const { return modules_; }

 private:
  absl::Status FindGil();
  std::optional<SeenImport> LookAtImports();
  std::optional<SeenImport> ImportIn(const PythonThread& thread);
  absl::Status LookAtModules();
  void FindCulprit();

  ProcessMemory& memory_;
  const PythonRuntime runtime_;
  InterpreterReader reader_;
  ExtensionModules extension_modules_;
  LocalsReader locals_;
  InterpreterPtr interpreter_;
  uint64_t gil_enabled_address_ = 0;
  bool is_on_ = false;
  bool was_on_ = false;
  bool has_looked_ = false;
  std::optional<Clock::time_point> turned_on_;
  const Clock::time_point began_ = Clock::now();
  Clock::time_point last_modules_;
  std::string culprit_;
  bool is_certain_ = false;
  std::optional<SeenImport> culprit_import_;
  std::optional<SeenImport> import_then_;  // in progress when the GIL was first seen on
  std::vector<SeenImport> imports_;        // that were seen while the GIL was enabled, newest last
  std::vector<ExtensionModule> modules_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_CONTENTION_GIL_WATCH_H_
