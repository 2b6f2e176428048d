#include "profile/figures.h"

#include <algorithm>
#include <cstdint>

namespace fthreadprof {
namespace {

std::optional<double> Ratio(uint64_t part, uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::optional<double> EffectiveCores(const Profile& profile) {
  const ProcessInfo& totals = profile.totals;
  uint64_t running = 0;
  for (size_t n = 0; n < totals.parallelism_passes.size(); ++n) {
    running += n * totals.parallelism_passes[n];
  }
  const std::optional<double> attached = Ratio(running, totals.seen_passes());
  const double duration_s = profile.sampling.duration_s;
  if (!attached || duration_s <= 0) return attached;
  return std::min(*attached, totals.cpu_s / duration_s);
}

std::optional<double> StateFraction(const Profile& profile, ThreadState state) {
  uint64_t in_state = 0;
  uint64_t all = 0;
  for (const ProfiledThread& thread : profile.threads()) {
    if (thread.tasks) continue;
    in_state += thread.state_samples[static_cast<size_t>(state)];
    all += thread.samples;
  }
  return Ratio(in_state, all);
}

std::optional<double> TornFraction(const Profile& profile) {
  return Ratio(profile.sampling.torn, profile.sampling.torn + profile.sampling.samples);
}

}  // namespace fthreadprof
