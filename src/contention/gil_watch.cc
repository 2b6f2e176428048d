#include "contention/gil_watch.h"

#include <algorithm>
#include <climits>
#include <string_view>

#include "base/status_macros.h"

namespace fthreadprof {
namespace {

using namespace std::chrono_literals;

// How often modules are listed: most are imported soon after the start, or after each other.
constexpr std::chrono::microseconds kModulesInterval = 50ms;
constexpr std::chrono::microseconds kEarlyModulesInterval = 500us;
constexpr std::chrono::milliseconds kEarly = 1s;
constexpr size_t kMaxImports = 64;
// _gil_runtime_state.enabled of a GIL that is on for good; smaller numbers count the imports that
// enable it for a moment: ceval_gil.c.
constexpr int kPermanent = INT_MAX;

bool IsImportSystem(std::string_view file) { return file.starts_with("<frozen importlib"); }

// 'name' or "name" as ValueReader spells a str.
std::string Unquoted(std::string text) {
  if (text.size() < 2 || (text.front() != '\'' && text.front() != '"')) return "";
  return text.substr(1, text.find_last_of(text.front()) - 1);
}

}  // namespace

GilWatch::GilWatch(ProcessMemory& memory, const PythonRuntime& runtime)
    : memory_(memory),
      runtime_(runtime),
      reader_(memory, runtime_),
      extension_modules_(memory, runtime_.offsets),
      locals_(memory, runtime_.offsets) {}

absl::Status GilWatch::FindGil() {
  if (gil_enabled_address_ != 0) return absl::OkStatus();
  FTP_RETURN_IF_ERROR(reader_.ReadPass());
  if (reader_.threads().empty() || reader_.gil().address == 0) {
    return absl::UnavailableError("the interpreter is not there yet");
  }
  interpreter_ = reader_.threads().back()->interpreter;
  for (const PythonThread* thread : reader_.threads()) {
    if (thread->interpreter_id == 0) interpreter_ = thread->interpreter;
  }
  gil_enabled_address_ = reader_.gil().address + runtime_.offsets.interpreter_state.gil_enabled;
  return absl::OkStatus();
}

absl::Status GilWatch::Look() {
  FTP_RETURN_IF_ERROR(FindGil());
  const absl::StatusOr<int> enabled = memory_.ReadValue<int>(gil_enabled_address_);
  if (absl::IsDataLoss(enabled.status())) {
    return absl::UnavailableError("the interpreter is not there any more");
  }
  FTP_RETURN_IF_ERROR(enabled.status());
  const Clock::time_point now = Clock::now();
  const bool turned_on = *enabled == kPermanent && !is_on_;
  if (*enabled != 0 && !is_on_) {
    const std::optional<SeenImport> import = LookAtImports();
    if (turned_on) import_then_ = import;
  }
  if (turned_on) {
    is_on_ = true;
    if (has_looked_) {
      turned_on_ = now;
    } else {
      was_on_ = true;
    }
  }
  has_looked_ = true;
  const bool searching = is_on_ && culprit_.empty();
  const bool is_early = now - began_ < kEarly || (turned_on_ && now - *turned_on_ < kEarly);
  if (now - last_modules_ >= (searching || is_early ? kEarlyModulesInterval : kModulesInterval)) {
    last_modules_ = now;
    FTP_RETURN_IF_ERROR(LookAtModules());
  }
  if (searching) FindCulprit();
  return absl::OkStatus();
}

// Remembers the imports in progress; returns one of them.
std::optional<SeenImport> GilWatch::LookAtImports() {
  std::optional<SeenImport> last;
  if (!reader_.ReadPass().ok()) return last;
  for (const PythonThread* thread : reader_.threads()) {
    std::optional<SeenImport> import = ImportIn(*thread);
    if (!import) continue;
    std::erase_if(imports_, [&](const SeenImport& seen) { return seen.module == import->module; });
    if (imports_.size() >= kMaxImports) imports_.erase(imports_.begin());
    imports_.push_back(*import);
    last = std::move(import);
  }
  return last;
}

// The import that the thread's innermost frames are in: importlib's `_find_and_load` has its name.
std::optional<SeenImport> GilWatch::ImportIn(const PythonThread& thread) {
  const std::vector<FrameRecord> records = reader_.FrameRecords(thread);
  SeenImport import;
  for (size_t i = 0; i < thread.frames.size() && i < records.size(); ++i) {
    const CodeInfo& code = *thread.frames[i].code;
    if (!IsImportSystem(code.file)) {
      if (import.module.empty()) return std::nullopt;  // a module's own code runs
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

absl::Status GilWatch::LookAtModules() {
  const auto modules = extension_modules_.Read(interpreter_);
  if (absl::IsDataLoss(modules.status())) return absl::OkStatus();  // next time
  FTP_RETURN_IF_ERROR(modules.status());
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

// The first module without the declaration.
void GilWatch::FindCulprit() {
  const auto module =
      std::find_if(modules_.begin(), modules_.end(),
                   [](const ExtensionModule& candidate) { return !candidate.can_run_without; });
  if (module == modules_.end()) return;
  culprit_ = module->name;
  is_certain_ = true;
  for (const SeenImport& seen : imports_) {
    if (seen.module == culprit_) culprit_import_ = seen;
  }
}

// An import that failed leaves no module, nor did one whose end we missed: then it was most likely
// the one that was in progress when the GIL was first seen on.
void GilWatch::Finish() {
  if (!culprit_.empty() || !import_then_) return;
  culprit_ = import_then_->module;
  culprit_import_ = import_then_;
}

}  // namespace fthreadprof
