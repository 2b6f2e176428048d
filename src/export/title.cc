#include "export/title.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "export/text.h"

namespace fthreadprof {

std::string TitleOf(const Profile& profile, const ExportOptions& options) {
  if (!options.title.empty()) return PlainText(options.title);
  const TargetInfo& target = profile.target();
  const std::string& what = target.command.empty() ? target.executable : target.command;
  return absl::StrCat("process ", target.pid, what.empty() ? "" : ": ", PlainText(what));
}

std::string DescribeSampling(const Profile& profile, uint64_t selected_samples) {
  size_t threads = 0;
  for (size_t i = 0; i < profile.threads().size(); ++i) {
    threads += profile.SelectedStacks(static_cast<ThreadIndex>(i)).empty() ? 0 : 1;
  }
  const SamplingInfo& sampling = profile.sampling;
  const std::string samples =
      selected_samples == 0 ? "no samples"
                            : absl::StrCat(WithThousands(selected_samples),
                                           selected_samples == 1 ? " sample" : " samples", " of ",
                                           threads, threads == 1 ? " thread" : " threads");
  return absl::StrFormat("Python %s %s, %s in %.1f s at %.0f Hz, mode %s",
                         profile.target().python.empty() ? "?" : PlainText(profile.target().python),
                         profile.target().free_threaded ? "free-threaded" : "with the GIL", samples,
                         sampling.duration_s, sampling.achieved_hz(),
                         SamplingModeName(sampling.mode));
}

std::optional<std::string> GilWarning(const Profile& profile) {
  if (!profile.target().free_threaded) return std::nullopt;
  const uint64_t passes = profile.totals.seen_passes();
  const uint64_t enabled = profile.totals.gil_enabled_passes;
  if (enabled > 0 && enabled < passes) {
    return absl::StrFormat("The GIL was ON for %.1f%% of the time in this free-threaded build.",
                           100.0 * static_cast<double>(enabled) / static_cast<double>(passes));
  }
  if (enabled == 0 && !profile.target().gil_enabled) return std::nullopt;
  return "The GIL is ON in this free-threaded build: threads run Python code one at a time.";
}

}  // namespace fthreadprof
