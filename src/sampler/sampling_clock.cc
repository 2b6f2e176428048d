#include "sampler/sampling_clock.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <random>

namespace fthreadprof {
namespace {

using namespace std::chrono_literals;
using Clock = SamplingClock::Clock;

constexpr std::chrono::microseconds kProgressInterval = 250ms;

double OwnCpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Asks the scheduler (EEVDF, Linux 6.12 and later) for short slices: a thread that wants little at
// a time gets its turn sooner, and so is late less often beside busy threads. Older kernels ignore
// it, and it needs no privilege.
void PreferEarlyTurns() {
  if (sched_getscheduler(0) != SCHED_OTHER) return;  // what the user chose stays
  struct {  // struct sched_attr, which Debian 12's libc does not declare: linux/sched/types.h
    uint32_t size = 48;
    uint32_t sched_policy = SCHED_OTHER;
    uint64_t sched_flags = 0;
    int32_t sched_nice = getpriority(PRIO_PROCESS, 0);
    uint32_t sched_priority = 0;
    uint64_t sched_runtime = 100'000;  // ns, the least that the kernel takes
    uint64_t sched_deadline = 0;
    uint64_t sched_period = 0;
  } attributes;
  static_assert(sizeof attributes == 48);
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

timespec ToTimespec(Clock::time_point time) {
  const std::chrono::nanoseconds since_epoch = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  return {.tv_sec = seconds.count(), .tv_nsec = (since_epoch - seconds).count()};
}

}  // namespace

void AskForEarlyTurns() {
  prctl(PR_SET_TIMERSLACK, 1UL);
  PreferEarlyTurns();
}

SamplingClock::SamplingClock(const SamplerOptions& options, Profile& profile)
    : options_(options), profile_(profile) {
  AskForEarlyTurns();
  profile_.sampling.requested_hz = options.rate_hz;
  profile_.sampling.mode = options.mode;
}

bool SamplingClock::SleepUntil(Clock::time_point due, const Watch& watch) {
  if (Clock::now() >= due) return !stop_requested_.load(std::memory_order_relaxed);
  while (!stop_requested_.load(std::memory_order_relaxed)) {
    // In slices: a stop that is requested just before the sleep, and the target's end, don't wait
    // for a slow tick.
    const Clock::time_point slice_end = std::min(due, Clock::now() + watch.interval);
    const timespec until = ToTimespec(slice_end);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    if (Clock::now() >= due || (slice_end < due && !watch.look())) {
      return !stop_requested_.load(std::memory_order_relaxed);
    }
  }
  return false;
}

absl::StatusOr<SamplingEnd> SamplingClock::Run(absl::FunctionRef<absl::Status()> take_pass,
                                               const Watch& watch) {
  // Ticks a little off the beat, so that a target with a rhythm of its own is not always met at the
  // same point.
  std::minstd_rand random(20240901);
  const auto period = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(1 / options_.rate_hz));
  constexpr uint32_t kJitterSteps = 1024;
  const Clock::duration jitter_step = period / (2 * kJitterSteps);
  const Clock::time_point run_started = Clock::now();
  if (!started_) started_ = run_started;
  Clock::time_point tick = run_started;
  const Clock::time_point deadline = options_.duration
                                         ? *started_ + absl::ToChronoNanoseconds(*options_.duration)
                                         : Clock::time_point::max();
  SamplingEnd end = SamplingEnd::kStopRequested;
  absl::Status failure;
  while (SleepUntil(
      std::min(deadline, tick + jitter_step * static_cast<int>(random() % kJitterSteps)), watch)) {
    Clock::time_point now = Clock::now();
    if (now >= deadline) {
      end = SamplingEnd::kDuration;
      break;
    }
    const absl::Status status = take_pass();
    if (!status.ok()) {
      const bool gone =
          absl::IsNotFound(status) || absl::IsUnavailable(status) || absl::IsDataLoss(status);
      if (!gone) failure = status;
      end = absl::IsNotFound(status) ? SamplingEnd::kTargetEnded : SamplingEnd::kTargetChanged;
      break;
    }
    ++passes_;
    now = Clock::now();
    if (now - last_progress_ >= kProgressInterval) {
      last_progress_ = now;
      UpdateFigures(sampled_ + (now - run_started));
      ReportProgress(now);
    }
    tick += period;
    if (now - tick > period) {
      // Too late for this one: the ticks that went by are not made up for.
      const int64_t missed = (now - tick) / period;
      profile_.sampling.late += static_cast<uint64_t>(missed);
      tick += period * missed;
    }
  }
  sampled_ += Clock::now() - run_started;
  if (!failure.ok()) return failure;
  return end;
}

void SamplingClock::ReportProgress(Clock::time_point now) {
  if (!on_progress_) return;
  const SamplingInfo& sampling = profile_.sampling;
  on_progress_({.elapsed = absl::FromChrono(now - *started_),
                .passes = passes_,
                .samples = sampling.samples,
                .torn = sampling.torn,
                .late = sampling.late});
}

void SamplingClock::UpdateFigures(Clock::duration sampled) {
  SamplingInfo& sampling = profile_.sampling;
  sampling.duration_s = ToSeconds(sampled);
  sampling.passes = passes_;
  sampling.profiler_cpu_s = OwnCpuSeconds();
}

void SamplingClock::Finish() { UpdateFigures(sampled_); }

}  // namespace fthreadprof
