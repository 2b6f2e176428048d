#include "export/title.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "export/gil_text.h"
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

std::string NameOf(const Profile& profile, const ExportOptions& options) {
  const std::optional<std::string> warning = GilWarning(profile);
  return absl::StrCat(warning.value_or(""), warning ? " " : "", TitleOf(profile, options));
}

}  // namespace fthreadprof
