#include "sampler/sampler.h"

#include "base/status_macros.h"

namespace fthreadprof {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::microseconds kLookInterval = 100ms;  // for the target's end
constexpr double kTaskShare = 0.1;                          // of the time between two passes

}  // namespace

std::chrono::nanoseconds TaskTime(double rate_hz) {
  return std::chrono::nanoseconds(static_cast<int64_t>(1e9 / rate_hz * kTaskShare));
}

void CountSamples(std::vector<LoggedSample>& settled, Profile& profile) {
  // The figures first: a recording that follows the samples is as good as it is when we are killed.
  SumCpu(profile);
  for (const LoggedSample& sample : settled) {
    profile.sampling.samples += sample.state != ThreadState::kAwaiting;
    profile.AddSample(sample);
  }
  settled.clear();
}

void SumCpu(Profile& profile) {
  profile.totals.cpu_s = 0;
  for (const TargetInfo& process : profile.processes()) profile.totals.cpu_s += process.cpu_s;
}

void CountPass(const PassFigures& figures, Profile& profile) {
  ProcessInfo& totals = profile.totals;
  const auto count = [](std::vector<uint64_t>& passes, size_t threads) {
    if (passes.size() <= threads) passes.resize(threads + 1);
    ++passes[threads];
  };
  count(totals.parallelism_passes, figures.attached);
  count(totals.wanting_passes, figures.wanting);
  totals.gil_enabled_passes += figures.gil_enabled;
  totals.gil_held_passes += figures.gil_held;
  totals.gil_handoffs += figures.gil_handoffs;
  totals.gc_passes += figures.collects;
  totals.stopped_passes += figures.stopped;
  totals.stops += figures.stops;
}

Sampler::Sampler(OsProcess& process, ProcessMemory& memory, const SamplerOptions& options,
                 Profile& profile)
    : process_(process),
      target_is_child_(options.target_is_child),
      profile_(profile),
      clock_(options, profile),
      task_time_(TaskTime(options.rate_hz)),
      sampled_(process, memory,
               {.blocking = options.blocking,
                .is_child = options.target_is_child,
                .tasks = options.tasks},
               profile) {}

absl::StatusOr<SamplingEnd> Sampler::Run(const PythonRuntime& runtime) {
  // Threads that are there when we come have used CPU before; not so those of a command we
  // launched.
  sampled_.Begin(runtime, clock_.started().has_value() || !target_is_child_);
  const absl::StatusOr<SamplingEnd> end =
      clock_.Run([this] { return TakePass(); },
                 {.interval = kLookInterval, .look = [this] { return process_.IsAlive(); }});
  sampled_.End(settled_);
  CountSamples(settled_, profile_);
  return end;
}

absl::Status Sampler::TakePass() {
  FTP_RETURN_IF_ERROR(sampled_.TakePass(*clock_.started(), task_time_));
  CountPass(sampled_.figures(), profile_);
  const SamplingClock::Clock::time_point now = SamplingClock::Clock::now();
  if (now - last_verified_ >= kVerifyInterval || sampled_.pending() >= kMaxPending) {
    FTP_RETURN_IF_ERROR(sampled_.Settle(settled_));
    CountSamples(settled_, profile_);
    last_verified_ = now;
  }
  return absl::OkStatus();
}

void Sampler::Finish() {
  clock_.Finish();
  SumCpu(profile_);
}

}  // namespace fthreadprof
