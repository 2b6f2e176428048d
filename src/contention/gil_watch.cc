#include "contention/gil_watch.h"

#include "base/status_macros.h"

namespace fthreadprof {
namespace {

using namespace std::chrono_literals;

// How often modules are listed: most are imported soon after the start, or after each other.
constexpr std::chrono::microseconds kModulesInterval = 50ms;
constexpr std::chrono::microseconds kEarlyModulesInterval = 500us;
constexpr std::chrono::milliseconds kEarly = 1s;
// How often threads are looked at for imports in progress, when there was none for kEarly.
constexpr std::chrono::microseconds kPassInterval = 1ms;
// A module is in sys.modules soon after its import has turned the GIL on, or never: then a later
// one is not to blame.
constexpr std::chrono::milliseconds kSearchTime = 2s;

}  // namespace

GilWatch::GilWatch(ProcessMemory& memory, const PythonRuntime& runtime)
    : memory_(memory),
      runtime_(runtime),
      reader_(memory, runtime_),
      culprit_(memory, runtime_.offsets) {}

absl::Status GilWatch::FindGil() {
  if (gil_enabled_address_ != 0) return absl::OkStatus();
  FTP_RETURN_IF_ERROR(reader_.ReadPass());
  if (reader_.threads().empty() || reader_.gil().address == 0) {
    return absl::UnavailableError("the interpreter is not there yet");
  }
  interpreter_ = MainInterpreter(reader_);
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
  LookAtGil(*enabled, now);
  has_looked_ = true;
  return LookAtModules(now);
}

void GilWatch::LookAtGil(int enabled, Clock::time_point now) {
  if (is_on_) return;
  const bool turned_on = enabled == kGilForGood;
  if (enabled != 0 || now - last_import_ < kEarly || now - last_pass_ >= kPassInterval) {
    last_pass_ = now;
    if (reader_.ReadPass().ok() && culprit_.LookAtImports(reader_, turned_on)) last_import_ = now;
  }
  if (!turned_on) return;
  is_on_ = true;
  was_on_ = !has_looked_;
  if (has_looked_) turned_on_ = now;
}

absl::Status GilWatch::LookAtModules(Clock::time_point now) {
  const bool searching = is_on_ && !is_over_;
  const bool is_early = now - began_ < kEarly || (turned_on_ && now - *turned_on_ < kEarly);
  const auto interval = is_early ? kEarlyModulesInterval : kModulesInterval;
  if (searching || now - last_modules_ >= interval) {
    last_modules_ = now;
    FTP_RETURN_IF_ERROR(culprit_.LookAtModules(interpreter_));
  }
  if (searching) Search(now);
  return absl::OkStatus();
}

void GilWatch::Search(Clock::time_point now) {
  culprit_.Search(interpreter_);
  // Of a GIL that was on when we came all is there that ever will be.
  const bool is_all = was_on_ && culprit_.has_looked() && !culprit_.saw_import();
  is_over_ = culprit_.is_found() || is_all || now - turned_on_.value_or(began_) >= kSearchTime;
}

}  // namespace fthreadprof
