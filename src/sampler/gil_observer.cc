#include "sampler/gil_observer.h"

#include <algorithm>

namespace fthreadprof {
namespace {

// A module is in sys.modules soon after its import has turned the GIL on, or never; where threads
// wait for that GIL, soon is later.
constexpr uint64_t kSoonUs = 50'000;
constexpr uint64_t kSoonIntervalUs = 2'000;
constexpr uint64_t kSearchIntervalUs = 20'000;
constexpr uint64_t kSearchTimeUs = 2'000'000;

}  // namespace

bool GilObserver::Look(const InterpreterReader& pass, uint64_t time_us) {
  if (is_over_) return false;
  if (!has_begun_ && !pass.gil().for_good) culprit_.LookAtImports(pass, false);
  if (!has_begun_) return Begin(pass) && pass.gil().for_good && LookCloser(pass, time_us);
  // Only now it is certain that it was off when the modules were looked at that were there.
  if (!pass.gil().for_good) knows_before_ = true;
  return LookCloser(pass, time_us);
}

bool GilObserver::LookCloser(const InterpreterReader& pass, uint64_t time_us) {
  const bool turned_on = pass.gil().for_good && !cause_;
  if (!cause_) culprit_.LookAtImports(pass, turned_on);
  if (turned_on) {
    cause_.emplace();
    if (!knows_before_) culprit_.SkipNothing();
    turned_on_us_ = next_search_us_ = time_us;
  }
  if (!cause_ || time_us < next_search_us_) return turned_on;
  Search(pass, time_us);
  return true;
}

// What is there before the GIL is on is not to blame. False when that could not be read just now,
// and is tried again.
bool GilObserver::Begin(const InterpreterReader& pass) {
  if (!pass.gil().for_good) came_later_ = true;
  has_begun_ = pass.gil().for_good || culprit_.SkipPresent(MainInterpreter(pass)).ok();
  return has_begun_;
}

void GilObserver::Search(const InterpreterReader& pass, uint64_t time_us) {
  const bool is_soon = time_us - turned_on_us_ < kSoonUs;
  next_search_us_ = time_us + (is_soon ? kSoonIntervalUs : kSearchIntervalUs);
  const InterpreterPtr interpreter = MainInterpreter(pass);
  if (!culprit_.LookAtModules(interpreter).ok()) return;  // the process ends
  culprit_.Search(interpreter);
  // Of a GIL that was on when we came all is there that ever will be.
  const bool is_all = !came_later_ && culprit_.has_looked() && !culprit_.saw_import();
  is_over_ = culprit_.is_found() || is_all || time_us - turned_on_us_ >= kSearchTimeUs;
  if (is_over_) culprit_.Finish();
  Describe();
}

bool GilObserver::Finish() {
  if (is_over_ || !cause_) return false;
  is_over_ = true;
  culprit_.Finish();
  Describe();
  return true;
}

void GilObserver::Describe() {
  GilCause& cause = *cause_;
  cause.by_option = culprit_.by_option();
  cause.module = culprit_.name();
  cause.is_certain = culprit_.is_certain();
  if (!came_later_ || cause.by_option) return;
  cause.at_s = static_cast<double>(turned_on_us_) / 1e6;
  if (culprit_.import()) {
    const std::vector<ImportPlace>& stack = culprit_.import()->stack;
    const size_t kept = std::min(stack.size(), GilCause::kMaxStack);
    cause.stack.assign(stack.end() - static_cast<std::ptrdiff_t>(kept), stack.end());
  }
  cause.imported.clear();
  if (!knows_before_) return;
  for (const ExtensionModule& module : culprit_.modules()) {
    if (module.file.empty()) continue;
    cause.imported.push_back({module.name, module.file, module.can_run_without});
    if (cause.imported.size() > GilCause::kMaxImported)
      cause.imported.erase(cause.imported.begin());
  }
}

}  // namespace fthreadprof
