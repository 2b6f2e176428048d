// ProcessSampler is one process's part of a recording: it reads the process's threads, says what
// each does, and finds their stacks and names. SamplingClock says when.
//
// Each pass: read all threads (InterpreterReader), say what each does (ThreadActivity), intern its
// stack. Samples wait until Settle has verified the names in their stacks; a sample that a code
// object's end made doubtful is dropped and counted as torn.
//
// Lifetime: borrows the process, its memory and the profile. Thread safety: none.
#ifndef FTHREADPROF_SAMPLER_PROCESS_SAMPLER_H_
#define FTHREADPROF_SAMPLER_PROCESS_SAMPLER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "contention/lock_holders.h"
#include "contention/thread_activity.h"
#include "process/os_process.h"
#include "process/process_memory.h"
#include "process/process_stopper.h"
#include "profile/profile.h"
#include "python/interpreter_reader.h"
#include "sampler/gil_observer.h"
#include "sampler/task_sampler.h"

namespace fthreadprof {

struct ProcessSamplerOptions {
  bool blocking = false;  // stop the process for each pass
  bool is_child = false;  // somebody else collects its exit status
  // Its place in the profile; none: it gets one when the first thread of its own is seen.
  std::optional<ProcessIndex> index = kRootProcess;
  pid_t parent_pid = 0;
  // Until a process that was forked has cleaned up, and while it shares its parent's memory
  // (vfork), its memory shows its parent's threads: those are passed over.
  bool may_be_forked = false;
  bool tasks = false;          // asyncio tasks that wait, too
  bool cpu_from_zero = false;  // all CPU that it used counts: it started while we watched
};

// What a pass saw of a process as a whole.
struct PassFigures {
  size_t attached = 0;  // threads running Python code
  size_t wanting = 0;   // those, and the threads that wait for the GIL to
  bool gil_enabled = false;
  bool gil_held = false;
  uint64_t gil_handoffs = 0;  // since the pass before
  bool collects = false;      // garbage
  bool stopped = false;       // threads, for a stop-the-world
  uint64_t stops = 0;         // 1 when that began since the pass before

  // Takes in what the same pass saw of another process.
  void Add(const PassFigures& other);
};

class ProcessSampler {
 public:
  using Clock = std::chrono::steady_clock;

  // REQUIRES: process, memory and profile outlive the sampler.
  ProcessSampler(OsProcess& process, ProcessMemory& memory, const ProcessSamplerOptions& options,
                 Profile& profile);
  ~ProcessSampler();

  // Begins to sample the Python that `runtime` describes. `needs_cpu_baseline`: it may have used
  // CPU before we came. REQUIRES: no other is being sampled.
  void Begin(const PythonRuntime& runtime, bool needs_cpu_baseline);

  // Samples every thread, at a time that counts from `started`, and then goes on looking at asyncio
  // tasks for up to `task_time`. Fails as InterpreterReader does,
  // or with kAborted when it can't be stopped for `blocking`. REQUIRES: Begin was called.
  absl::Status TakePass(Clock::time_point started, std::chrono::nanoseconds task_time);
  // Of the last pass that succeeded.
  const PassFigures& figures() const { return figures_; }

  // Samples that wait for Settle; call it before they are too many.
  size_t pending() const { return pending_.size(); }
  // Verifies the waiting samples and appends those that hold to `settled`, in the order of time.
  // Fails when the process can't be read any more: then they still wait.
  absl::Status Settle(std::vector<LoggedSample>& settled);

  // Ends what Begin began. What can't be verified any more is kept where the same stack stood the
  // test before.
  void End(std::vector<LoggedSample>& settled);

  // Whether any thread of its own was seen.
  bool has_threads() const { return has_threads_; }
  // Whether what was sampled is of another program than what the process runs now.
  bool RunsAnother() const;
  // Why asyncio's tasks could not be seen in what End ended, a sentence for people; else "".
  const std::string& task_problem() const { return task_problem_; }
  // Whether the kernel hid what threads wait for.
  bool is_blind() const { return activity_.is_blind(); }
  // How often a thread's state had to be looked up in /proc.
  uint64_t looks() const { return activity_.looks(); }
  // CPU seconds that the process used since the first Begin.
  double cpu_s() const { return last_cpu_s_ - first_cpu_s_; }

 private:
  struct InternedFrame;
  struct KnownThread;

  void SampleThreads();
  void LookAtGil();
  void LookAtTasks(std::chrono::nanoseconds task_time);
  void SampleThread(const PythonThread& thread, KnownThread& known);
  KnownThread& Recognize(const PythonThread& thread);
  void Enroll(const PythonThread& thread, KnownThread& known);
  bool IsOwn(pid_t inner_tid);
  SchedulerTimes TimesBefore(pid_t tid) const;
  void TakeNameOfSameThread(const KnownThread& known);
  size_t CountAttached() const;
  void FindCovered();
  void NameThreads();
  void FindNames(bool all);
  void ConfirmNames();
  void ForgetEnded();
  LockId InternLock(const ParkedOn& parked);
  void TakeFigures();
  uint64_t CountHandoffs();
  void FindStop();
  void FindHolders();
  void UpdateAllCpu();
  StackId Intern(const std::vector<StackFrame>& frames, KnownThread& known);
  void SettleUnverifiable(std::vector<LoggedSample>& settled);

  OsProcess& process_;
  ProcessMemory& memory_;
  ProcessSamplerOptions options_;
  Profile& profile_;
  ThreadActivity activity_;
  std::unique_ptr<ProcessStopper> stopper_;
  std::unique_ptr<InterpreterReader> reader_;
  std::unique_ptr<ThreadNames> names_;
  std::unique_ptr<LockReader> locks_;
  std::unique_ptr<LockHolders> holders_;
  std::unique_ptr<GilObserver> gil_observer_;  // of a free-threaded build
  std::unique_ptr<TaskSampler> tasks_;         // when they are asked for
  std::string task_problem_;
  bool free_threaded_ = false;
  bool has_threads_ = false;
  bool is_described_ = false;  // in the profile, as what it runs since Begin
  std::string version_;

  absl::flat_hash_map<uint64_t, std::unique_ptr<KnownThread>> known_;  // by PyThreadState
  std::vector<KnownThread*> unnamed_;
  std::vector<uint64_t> to_confirm_;  // keys of known_ with a found name
  std::vector<LoggedSample> pending_;
  absl::flat_hash_set<StackId> verified_stacks_;  // stacks that stood a verification
  // Thread states below another one of the same thread, in another interpreter.
  absl::flat_hash_set<uint64_t> covered_;
  PassFigures figures_;
  const PythonThread* stopper_thread_ = nullptr;      // of this pass: had all others stopped
  std::vector<LockWait> waits_;                       // of this pass
  std::vector<size_t> waiting_;                       // their samples in pending_
  absl::flat_hash_map<uint64_t, uint64_t> switches_;  // of each GIL, by address, so far
  uint64_t pass_ = 0;
  uint64_t pass_time_us_ = 0;
  uint64_t last_pass_time_us_ = 0;
  bool needs_cpu_baseline_ = true;  // during the first pass of a run
  bool has_cpu_ = false;            // first_cpu_s_ was asked for
  Clock::time_point last_cpu_;      // of threads
  Clock::time_point last_process_cpu_;
  Clock::time_point last_names_;
  double first_cpu_s_ = 0;
  double last_cpu_s_ = 0;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_SAMPLER_PROCESS_SAMPLER_H_
