#include "export/title.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "export/text.h"

namespace fthreadprof {
namespace {

// "Python 3.13.5 free-threaded"; all that ran in the profiled processes, and in how many.
std::string DescribePython(const Profile& profile) {
  std::vector<std::string> kinds;
  size_t processes = 0;
  for (const TargetInfo& process : profile.processes()) {
    const bool is_first_of_several = kinds.empty() && profile.processes().size() > 1;
    if (process.python.empty() && is_first_of_several) continue;  // a shell that started Python
    ++processes;
    const std::string kind =
        absl::StrCat(process.python.empty() ? "?" : PlainText(process.python),
                     process.free_threaded ? " free-threaded" : " with the GIL");
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
  }
  return absl::StrCat("Python ", absl::StrJoin(kinds, ", "),
                      processes > 1 ? absl::StrCat(" in ", processes, " processes") : "");
}

// ", state gil_wait, threads worker-*"; "" when all are shown.
std::string DescribeSelection(const SamplingInfo& sampling) {
  std::string text;
  if (!sampling.states.all()) {
    for (size_t i = 0; i < kThreadStateCount; ++i) {
      if (!sampling.states.test(i)) continue;
      absl::StrAppend(&text, text.empty() ? ", state " : " or ",
                      ThreadStateName(static_cast<ThreadState>(i)));
    }
  }
  if (!sampling.threads.empty()) {
    absl::StrAppend(&text, ", threads ", PlainText(absl::StrJoin(sampling.threads, " or ")));
  }
  return text;
}

}  // namespace

std::string TitleOf(const Profile& profile, const ExportOptions& options) {
  if (!options.title.empty()) return PlainText(options.title);
  const TargetInfo& target = profile.target();
  const std::string& what = target.command.empty() ? target.executable : target.command;
  return absl::StrCat("process ", target.pid, what.empty() ? "" : ": ", PlainText(what));
}

std::string DescribeSampling(const Profile& profile, uint64_t selected_samples) {
  size_t threads = 0;
  bool tasks = false;
  for (size_t i = 0; i < profile.threads().size(); ++i) {
    if (profile.SelectedStacks(static_cast<ThreadIndex>(i)).empty()) continue;
    const bool is_thread = !profile.threads()[i].tasks;
    threads += is_thread ? 1 : 0;
    tasks |= !is_thread;
  }
  const SamplingInfo& sampling = profile.sampling;
  const std::string samples =
      selected_samples == 0 ? "no samples"
                            : absl::StrCat(WithThousands(selected_samples),
                                           selected_samples == 1 ? " sample" : " samples", " of ",
                                           threads, threads == 1 ? " thread" : " threads",
                                           tasks ? " and of asyncio tasks" : "");
  return absl::StrFormat("%s, %s in %.1f s at %.0f Hz, mode %s%s", DescribePython(profile), samples,
                         sampling.duration_s, sampling.achieved_hz(),
                         SamplingModeName(sampling.mode), DescribeSelection(sampling));
}

// The share of the passes up to which an enabled GIL is not worth an alarm.
constexpr double kMomentary = 0.01;

std::optional<std::string> GilWarning(const Profile& profile) {
  const std::vector<TargetInfo>& processes = profile.processes();
  const auto count = [&](auto&& wanted) {
    return static_cast<size_t>(std::count_if(processes.begin(), processes.end(), wanted));
  };
  const size_t free_threaded = count([](const TargetInfo& p) { return p.free_threaded; });
  const size_t with_gil =
      count([](const TargetInfo& p) { return p.free_threaded && p.gil_enabled; });
  if (free_threaded == 0) return std::nullopt;
  if (processes.size() > 1) {
    // The passes' figures are of all processes together.
    if (with_gil == 0) return std::nullopt;
    return absl::StrFormat(
        "The GIL is ON in %d of %d processes of free-threaded builds: in them threads run Python "
        "code one at a time.",
        with_gil, free_threaded);
  }
  const uint64_t passes = profile.totals.seen_passes();
  const uint64_t enabled = profile.totals.gil_enabled_passes;
  // The import of an extension module switches it on for a moment, until it is known what it is.
  if (with_gil == 0 && static_cast<double>(enabled) < kMomentary * static_cast<double>(passes)) {
    return std::nullopt;
  }
  if (enabled > 0 && enabled < passes) {
    return absl::StrFormat("The GIL was ON for %.1f%% of the time in this free-threaded build.",
                           100.0 * static_cast<double>(enabled) / static_cast<double>(passes));
  }
  if (enabled == 0 && with_gil == 0) return std::nullopt;
  return "The GIL is ON in this free-threaded build: threads run Python code one at a time.";
}

}  // namespace fthreadprof
