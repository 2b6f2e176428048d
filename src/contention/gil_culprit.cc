#include "contention/gil_culprit.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/status_macros.h"
#include "python/gil_option.h"

namespace fthreadprof {
namespace {

constexpr size_t kMaxImports = 64;

bool IsImportSystem(std::string_view file) { return file.starts_with("<frozen importlib"); }

// Whether the innermost frame is the import system's: else a module's own code runs, or no import.
bool Imports(const PythonThread& thread) {
  return !thread.frames.empty() && IsImportSystem(thread.frames.front().code->file);
}

// The import system's function that calls the C code of an extension module, or its loading.
constexpr std::string_view kCallsModule = "_call_with_frames_removed";

// 'name' or "name" as ValueReader spells a str.
std::string Unquoted(std::string text) {
  if (text.size() < 2 || (text.front() != '\'' && text.front() != '"')) return "";
  return text.substr(1, text.find_last_of(text.front()) - 1);
}

}  // namespace

InterpreterPtr MainInterpreter(const InterpreterReader& pass) {
  InterpreterPtr interpreter;
  for (const PythonThread* thread : pass.threads()) {
    interpreter = thread->interpreter;
    if (thread->interpreter_id == 0) break;
  }
  return interpreter;
}

bool GilCulprit::LookAtImports(const InterpreterReader& pass, bool turned_on) {
  bool any = false;
  // One that was in progress just before has turned it on when none is now.
  const std::optional<SeenImport> before = std::exchange(last_import_, std::nullopt);
  if (turned_on) import_then_ = before;
  for (const PythonThread* thread : pass.threads()) {
    if (!Imports(*thread)) continue;
    any = true;
    if (!pass.gil().enabled && thread->frames.front().code->function != kCallsModule) continue;
    std::optional<SeenImport> import = ImportIn(pass, *thread);
    if (!import) continue;
    std::erase_if(imports_, [&](const SeenImport& seen) { return seen.module == import->module; });
    if (imports_.size() >= kMaxImports) imports_.erase(imports_.begin());
    imports_.push_back(*import);
    last_import_ = *import;
    if (turned_on) import_then_ = std::move(import);
  }
  return any;
}

// The import that the thread's innermost frames are in: importlib's `_find_and_load` has its name.
std::optional<SeenImport> GilCulprit::ImportIn(const InterpreterReader& pass,
                                               const PythonThread& thread) {
  const std::vector<FrameRecord> records = pass.FrameRecords(thread);
  SeenImport import;
  for (size_t i = 0; i < thread.frames.size() && i < records.size(); ++i) {
    const CodeInfo& code = *thread.frames[i].code;
    if (!IsImportSystem(code.file)) {
      if (import.module.empty()) return std::nullopt;
      import.stack.insert(import.stack.begin(), {code.function, code.file, thread.frames[i].line});
      continue;
    }
    if (!import.module.empty() || code.function != "_find_and_load") continue;
    const auto variables = locals_.Read(records[i], code, /*with_values=*/true);
    if (!variables.ok()) return std::nullopt;
    for (const LocalVariable& variable : *variables) {
      if (variable.name == "name") import.module = Unquoted(variable.value);
    }
    if (import.module.empty()) return std::nullopt;
  }
  if (import.module.empty()) return std::nullopt;
  return import;
}

absl::Status GilCulprit::LookAtModules(InterpreterPtr interpreter) {
  const auto modules = extension_modules_.Read(interpreter);
  if (absl::IsDataLoss(modules.status())) return absl::OkStatus();  // next time
  FTP_RETURN_IF_ERROR(modules.status());
  has_modules_ = true;
  for (const ExtensionModule& module : *modules) {
    const auto known =
        std::find_if(modules_.begin(), modules_.end(),
                     [&](const ExtensionModule& other) { return other.name == module.name; });
    if (known == modules_.end()) {
      modules_.push_back(module);
    } else {
      *known = module;
    }
  }
  return absl::OkStatus();
}

void GilCulprit::Search(InterpreterPtr interpreter) {
  if (!by_option_) {
    const absl::StatusOr<bool> forced = IsGilForcedOn(memory_, offsets_, interpreter);
    if (!forced.ok()) return;
    by_option_ = *forced;
  }
  if (is_found()) return;
  // The first one without the declaration.
  const auto module =
      std::find_if(modules_.begin(), modules_.end(),
                   [](const ExtensionModule& candidate) { return !candidate.can_run_without; });
  if (module == modules_.end()) return;
  name_ = module->name;
  is_certain_ = true;
  for (const SeenImport& seen : imports_) {
    if (seen.module == name_) import_ = seen;
  }
}

// An import that failed leaves no module, nor did one whose end we missed: then it was most likely
// the one that was in progress when the GIL was first seen on.
void GilCulprit::Finish() {
  if (is_found() || !import_then_) return;
  const bool is_innocent = std::any_of(
      modules_.begin(), modules_.end(),
      [&](const ExtensionModule& module) { return module.name == import_then_->module; });
  if (is_innocent) return;  // it lacks nothing, or it would have been found
  name_ = import_then_->module;
  import_ = import_then_;
}

}  // namespace fthreadprof
