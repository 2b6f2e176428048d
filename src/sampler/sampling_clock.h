// SamplingClock says when to take a pass: a little off the beat, at the rate that was asked for,
// until the duration is over, somebody asks to stop, or the passes fail.
//
// Lifetime: borrows the profile; one clock counts all runs of a recording. Thread safety: none, but
// for RequestStop.
#ifndef FTHREADPROF_SAMPLER_SAMPLING_CLOCK_H_
#define FTHREADPROF_SAMPLER_SAMPLING_CLOCK_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "profile/profile.h"

namespace fthreadprof {

struct SamplerOptions {
  double rate_hz = 1000;
  std::optional<absl::Duration> duration;
  SamplingMode mode = SamplingMode::kActive;
  bool blocking = false;         // stop the target for each pass
  bool target_is_child = false;  // somebody else collects its exit status
  bool tasks = false;            // asyncio tasks that wait, too
};

struct SamplerProgress {
  absl::Duration elapsed;
  uint64_t passes = 0;
  uint64_t samples = 0;
  uint64_t torn = 0;
  uint64_t late = 0;
};

// Why sampling ended.
enum class SamplingEnd { kDuration, kStopRequested, kTargetEnded, kTargetChanged };

inline double ToSeconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// Asks the scheduler for short time slices and exact timers for the calling thread, which keeps
// them; processes that it starts from then on get them too.
void AskForEarlyTurns();

class SamplingClock {
 public:
  // CLOCK_MONOTONIC, computed with inline: it is asked several times a pass.
  using Clock = std::chrono::steady_clock;

  // REQUIRES: profile outlives the clock.
  SamplingClock(const SamplerOptions& options, Profile& profile);

  // What to do while no pass is due: called every `interval`; false ends the waiting.
  struct Watch {
    std::chrono::microseconds interval;
    absl::FunctionRef<bool()> look;
  };

  // Calls `take_pass` at each tick. Its kNotFound means kTargetEnded, kUnavailable and kDataLoss
  // mean kTargetChanged; any other failure is Run's.
  absl::StatusOr<SamplingEnd> Run(absl::FunctionRef<absl::Status()> take_pass, const Watch& watch);

  // Makes Run return soon. May be called from a signal handler.
  void RequestStop() { stop_requested_.store(true, std::memory_order_relaxed); }

  // Called about four times a second during Run.
  void set_on_progress(std::function<void(const SamplerProgress&)> on_progress) {
    on_progress_ = std::move(on_progress);
  }

  // When the first run began: the zero of samples' times. Nothing before.
  const std::optional<Clock::time_point>& started() const { return started_; }

  // Fills in the profile's figures of the sampling. Call once, when all runs are over.
  void Finish();

 private:
  bool SleepUntil(Clock::time_point due, const Watch& watch);
  void UpdateFigures(Clock::duration sampled);
  void ReportProgress(Clock::time_point now);

  const SamplerOptions options_;
  Profile& profile_;
  std::function<void(const SamplerProgress&)> on_progress_;
  std::atomic<bool> stop_requested_{false};
  uint64_t passes_ = 0;
  std::optional<Clock::time_point> started_;
  Clock::duration sampled_{};  // by runs that are over
  Clock::time_point last_progress_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_SAMPLER_SAMPLING_CLOCK_H_
