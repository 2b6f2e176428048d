// Sampler looks at a target again and again and puts what it sees into a Profile.
//
// Each pass: read all threads (InterpreterReader), say what each does (ThreadActivity), count its
// stack. Samples wait in a batch until the names in their stacks were verified, every
// kVerifyInterval; a sample that a code object's end made doubtful is dropped and counted as torn.
//
// Lifetime: borrows the target. Thread safety: none, but for RequestStop.
#ifndef FTHREADPROF_SAMPLER_SAMPLER_H_
#define FTHREADPROF_SAMPLER_SAMPLER_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "contention/thread_activity.h"
#include "process/os_process.h"
#include "process/process_memory.h"
#include "process/process_stopper.h"
#include "profile/profile.h"
#include "python/interpreter_reader.h"

namespace fthreadprof {

struct SamplerOptions {
  double rate_hz = 1000;
  std::optional<absl::Duration> duration;
  SamplingMode mode = SamplingMode::kActive;
  bool blocking = false;         // stop the target for each pass
  bool target_is_child = false;  // somebody else collects its exit status
};

struct SamplerProgress {
  absl::Duration elapsed;
  uint64_t passes = 0;
  uint64_t samples = 0;
  uint64_t torn = 0;
  uint64_t late = 0;
};

// Why Run came back.
enum class SamplingEnd { kDuration, kStopRequested, kTargetEnded, kTargetChanged };

class Sampler {
 public:
  // REQUIRES: process, memory and profile outlive the sampler.
  Sampler(OsProcess& process, ProcessMemory& memory, const SamplerOptions& options,
          Profile& profile);
  ~Sampler();

  // Samples the Python that `runtime` describes until the duration is over, RequestStop, or the
  // target is gone or runs no Python any more (kTargetChanged: it may have started another program;
  // call Run again with what it runs now). Fails with kPermissionDenied, kAborted
  // (it can't be stopped for --blocking) or kInternal; what was sampled before is in the profile.
  absl::StatusOr<SamplingEnd> Run(const PythonRuntime& runtime);

  // Makes Run return soon. May be called from a signal handler.
  void RequestStop() { stop_requested_.store(true, std::memory_order_relaxed); }

  // Called about four times a second during Run.
  void set_on_progress(std::function<void(const SamplerProgress&)> on_progress) {
    on_progress_ = std::move(on_progress);
  }

  // How often a thread's state had to be looked up in /proc.
  uint64_t looks() const { return activity_.looks(); }

  // Fills in the profile's figures. Call once, when all runs are over.
  void Finish();

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct InternedFrame;
  struct KnownThread;

  bool SleepUntil(TimePoint due);
  absl::Status TakePass(InterpreterReader& reader);
  void SampleThreads(InterpreterReader& reader);
  void SampleThread(const PythonThread& thread, KnownThread& known, const GilState& gil);
  KnownThread& Recognize(const PythonThread& thread);
  void NameThreads(InterpreterReader& reader);
  void ConfirmNames();
  void ForgetEnded();
  void UpdateAllCpu();
  void UpdateFigures(std::chrono::steady_clock::duration sampled);
  StackId Intern(const std::vector<StackFrame>& frames, KnownThread& known);
  absl::Status CommitVerified(InterpreterReader& reader);
  void CommitUnverifiable();
  void ReportProgress(TimePoint now);

  OsProcess& process_;
  ProcessMemory& memory_;
  const SamplerOptions options_;
  Profile& profile_;
  ThreadActivity activity_;
  std::unique_ptr<ProcessStopper> stopper_;
  std::unique_ptr<ThreadNames> names_;
  std::function<void(const SamplerProgress&)> on_progress_;
  std::atomic<bool> stop_requested_{false};

  absl::flat_hash_map<uint64_t, std::unique_ptr<KnownThread>> known_;  // by PyThreadState
  std::vector<KnownThread*> unnamed_;
  std::vector<uint64_t> to_confirm_;  // keys of known_ with a found name
  std::vector<LoggedSample> pending_;
  absl::flat_hash_set<StackId> verified_stacks_;  // stacks that stood a verification
  uint64_t pass_ = 0;
  uint64_t pass_time_us_ = 0;       // since started_
  bool needs_cpu_baseline_ = true;  // during the first pass of a run
  std::optional<TimePoint> started_;
  std::chrono::steady_clock::duration sampled_{};  // by runs that are over
  TimePoint run_started_;
  TimePoint last_progress_;
  TimePoint last_verified_;
  TimePoint last_cpu_;  // of threads
  TimePoint last_process_cpu_;
  TimePoint last_names_;
  double first_cpu_s_ = 0;
  double last_cpu_s_ = 0;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_SAMPLER_SAMPLER_H_
