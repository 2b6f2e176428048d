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

double PeriodSeconds(const Profile& profile) {
  const uint64_t passes = profile.totals.seen_passes();
  return passes == 0 ? 0 : profile.sampling.duration_s / static_cast<double>(passes);
}

StateShares StateSharesOf(const Profile& profile, const ProfiledThread& thread) {
  StateShares shares{};
  if (thread.samples == 0) return shares;
  const auto samples = static_cast<double>(thread.samples);
  for (size_t i = 0; i < kThreadStateCount; ++i) {
    shares[i] = static_cast<double>(thread.state_samples[i]) / samples;
  }
  const double watched_s = samples * PeriodSeconds(profile);
  double& running = shares[static_cast<size_t>(ThreadState::kRunning)];
  double& native = shares[static_cast<size_t>(ThreadState::kNative)];
  const double works = running + native;
  if (watched_s <= 0 || works <= 0) return shares;
  // What a recording says may be anything: no share is negative.
  const double most = std::clamp(thread.run_queue_s / watched_s, 0.0, works);
  const double queued = std::clamp(works - thread.cpu_s / watched_s, 0.0, most);
  shares[static_cast<size_t>(ThreadState::kRunnable)] += queued;
  running -= queued * running / works;
  native = works - queued - running;
  return shares;
}

StateShares StateSharesOf(const Profile& profile, std::optional<ProcessIndex> process) {
  StateShares sum{};
  double all = 0;
  for (const ProfiledThread& thread : profile.threads()) {
    if (thread.tasks || (process && thread.process != *process)) continue;
    const StateShares shares = StateSharesOf(profile, thread);
    const auto samples = static_cast<double>(thread.samples);
    for (size_t i = 0; i < kThreadStateCount; ++i) sum[i] += shares[i] * samples;
    all += samples;
  }
  if (all > 0) {
    for (double& share : sum) share /= all;
  }
  return sum;
}

std::optional<double> StateFraction(const Profile& profile, ThreadState state) {
  const bool any = std::any_of(profile.threads().begin(), profile.threads().end(),
                               [](const ProfiledThread& t) { return !t.tasks && t.samples > 0; });
  if (!any) return std::nullopt;
  return StateSharesOf(profile)[static_cast<size_t>(state)];
}

std::optional<double> GcFraction(const Profile& profile) {
  return Ratio(profile.totals.gc_passes, profile.totals.seen_passes());
}

std::optional<double> StoppedFraction(const Profile& profile) {
  return Ratio(profile.totals.stopped_passes, profile.totals.seen_passes());
}

std::optional<double> TornFraction(const Profile& profile) {
  return Ratio(profile.sampling.torn, profile.sampling.torn + profile.sampling.samples);
}

}  // namespace fthreadprof
