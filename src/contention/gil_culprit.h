// GilCulprit finds out what turned the GIL of a free-threaded process on.
//
// CPython enables the GIL for the moment of each import of an extension module, and leaves it on
// for good when the module does not declare that it can run without. So a pass while it is enabled,
// or before that, while the module's file is loaded, shows the import in progress: the module's
// name and the Python stack. Which module it was is also
// told by sys.modules afterwards: the first one without the declaration. GilWatch and GilObserver
// say when to look.
//
// Lifetime: borrows memory and offsets. Thread safety: none.
#ifndef FTHREADPROF_CONTENTION_GIL_CULPRIT_H_
#define FTHREADPROF_CONTENTION_GIL_CULPRIT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "process/process_memory.h"
#include "profile/gil_cause.h"
#include "python/extension_modules.h"
#include "python/interpreter_reader.h"
#include "python/local_variables.h"

namespace fthreadprof {

// An import that was seen in progress.
struct SeenImport {
  std::string module;
  std::vector<ImportPlace> stack;  // outermost first, without the import system's own frames
};

// The main interpreter of the threads that a pass found; null when it found none.
InterpreterPtr MainInterpreter(const InterpreterReader& pass);

class GilCulprit {
 public:
  // REQUIRES: both outlive this object; the build is a free-threaded one.
  GilCulprit(ProcessMemory& memory, const DebugOffsets& offsets)
      : memory_(memory),
        offsets_(offsets),
        extension_modules_(memory, offsets),
        locals_(memory, offsets) {}

  // Modules that are there now are neither blamed nor listed: the GIL is off yet. Cheap. Fails as
  // ExtensionModules::Read.
  absl::Status SkipPresent(InterpreterPtr interpreter) {
    return extension_modules_.SkipPresent(interpreter);
  }

  // Takes that back: it was on by then.
  void SkipNothing() { extension_modules_.SkipNothing(); }

  // Remembers the imports of extension modules in progress, and says whether any import is. Costs
  // nothing when none is. `turned_on`: the GIL was not on for good in the pass before.
  bool LookAtImports(const InterpreterReader& pass, bool turned_on);

  // Lists the modules that are there now; those that went meanwhile stay listed. Fails with
  // kNotFound when the process is gone; what can't be read just now is no failure, see has_looked.
  absl::Status LookAtModules(InterpreterPtr interpreter);

  // Names the culprit, if it can be told by now. REQUIRES: the GIL is on for good.
  void Search(InterpreterPtr interpreter);

  // No more can be seen: what is not known by now is decided by what was.
  void Finish();

  // Whether the search is over.
  bool is_found() const { return by_option_.value_or(false) || !name_.empty(); }
  // Whether the modules were listed at least once.
  bool has_modules() const { return has_modules_; }
  // Whether all that could tell was read.
  bool has_looked() const { return has_modules_ && by_option_.has_value(); }
  // Whether an import was in progress when the GIL was first seen on: its module may come yet.
  bool saw_import() const { return import_then_.has_value(); }
  // PYTHON_GIL=1 or -X gil=1 turned it on, and no module.
  bool by_option() const { return by_option_.value_or(false); }
  // The module that turned it on; empty while none is known that would have.
  const std::string& name() const { return name_; }
  // Whether that is certain, for it lacks the declaration.
  bool is_certain() const { return is_certain_; }
  // The culprit's import, when it was seen in progress.
  const std::optional<SeenImport>& import() const { return import_; }
  // All extension modules that were ever listed, in the order of their import.
  const std::vector<ExtensionModule>& modules() const { return modules_; }

 private:
  std::optional<SeenImport> ImportIn(const InterpreterReader& pass, const PythonThread& thread);

  ProcessMemory& memory_;
  const DebugOffsets& offsets_;
  ExtensionModules extension_modules_;
  LocalsReader locals_;
  std::optional<bool> by_option_;  // once that is known
  bool has_modules_ = false;
  std::string name_;
  bool is_certain_ = false;
  std::optional<SeenImport> import_;
  std::optional<SeenImport> last_import_;  // in progress at the last look
  std::optional<SeenImport> import_then_;  // in progress when the GIL was first seen on, or before
  std::vector<SeenImport> imports_;        // that were seen, newest last
  std::vector<ExtensionModule> modules_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_CONTENTION_GIL_CULPRIT_H_
