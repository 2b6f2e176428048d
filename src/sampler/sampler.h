// Sampler looks at a target again and again and puts what it sees into a Profile.
//
// ProcessSampler sees, SamplingClock says when. Samples are verified, and then counted, every
// kVerifyInterval.
//
// Lifetime: borrows the target. Thread safety: none, but for SamplingClock::RequestStop.
#ifndef FTHREADPROF_SAMPLER_SAMPLER_H_
#define FTHREADPROF_SAMPLER_SAMPLER_H_

#include <chrono>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "process/os_process.h"
#include "process/process_memory.h"
#include "profile/profile.h"
#include "sampler/process_sampler.h"
#include "sampler/sampling_clock.h"

namespace fthreadprof {

// How often, and from how many of a process on, samples are verified.
inline constexpr std::chrono::milliseconds kVerifyInterval{10};
inline constexpr size_t kMaxPending = 8192;

// For how long after each pass asyncio tasks are looked at, at `rate_hz` passes a second.
std::chrono::nanoseconds TaskTime(double rate_hz);
// Counts verified samples in the profile, and clears them.
void CountSamples(std::vector<LoggedSample>& settled, Profile& profile);
// Fills in the CPU seconds of all processes together.
void SumCpu(Profile& profile);
// Counts a pass in the profile's totals.
void CountPass(const PassFigures& figures, Profile& profile);

class Sampler {
 public:
  // REQUIRES: process, memory and profile outlive the sampler.
  Sampler(OsProcess& process, ProcessMemory& memory, const SamplerOptions& options,
          Profile& profile);

  // Samples the Python that `runtime` describes until the duration is over, a stop is requested, or
  // the target is gone or runs no Python any more (kTargetChanged: it may have started another
  // program; call Run again with what it runs now). Fails with kPermissionDenied, kAborted
  // (it can't be stopped for --blocking) or kInternal; what was sampled before is in the profile.
  absl::StatusOr<SamplingEnd> Run(const PythonRuntime& runtime);

  SamplingClock& clock() { return clock_; }

  // Why asyncio's tasks could not be seen; else "". Call when all runs are over.
  const std::string& task_problem() const { return sampled_.task_problem(); }
  // Whether the kernel hid what threads wait for.
  bool is_blind() const { return sampled_.is_blind(); }
  // How often a thread's state had to be looked up in /proc.
  uint64_t looks() const { return sampled_.looks(); }

  // Fills in the profile's figures. Call once, when all runs are over.
  void Finish();

 private:
  absl::Status TakePass();

  OsProcess& process_;
  const bool target_is_child_;
  Profile& profile_;
  SamplingClock clock_;
  const std::chrono::nanoseconds task_time_;
  ProcessSampler sampled_;
  std::vector<LoggedSample> settled_;
  SamplingClock::Clock::time_point last_verified_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_SAMPLER_SAMPLER_H_
