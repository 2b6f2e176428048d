// ProcessStopper holds all threads of a process still for a moment (ptrace), for --blocking.
//
// It is attached only between Stop and Resume: a tracer that stays attached would hold up every
// signal, and the end of every thread, until it next looks.
//
// Lifetime: lets go of all threads when destroyed; when the profiler dies, the kernel lets go.
// Thread safety: none; ptrace binds it to the thread that made it.
#ifndef FTHREADPROF_PROCESS_PROCESS_STOPPER_H_
#define FTHREADPROF_PROCESS_PROCESS_STOPPER_H_

#include <sys/types.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <unordered_set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace fthreadprof {

class ProcessStopper {
 public:
  // `is_child`: the process is our child, and somebody else waits for its end.
  ProcessStopper(pid_t pid, bool is_child);
  ProcessStopper(const ProcessStopper&) = delete;
  ProcessStopper& operator=(const ProcessStopper&) = delete;
  ~ProcessStopper();

  // Stops every thread, also those that start meanwhile. Fails with kNotFound when the process is
  // gone, kAborted when another tracer holds it; then none is stopped.
  // REQUIRES: it is not stopped already.
  absl::Status Stop();
  // Lets all threads go on, but those that SIGSTOP or a shell holds. A no-op when none is stopped.
  void Resume();

 private:
  absl::Status StopAll();
  absl::StatusOr<bool> StopNewThreads();
  absl::StatusOr<bool> Seize(pid_t tid);
  int TrySeize(pid_t tid);
  void AwaitStops(std::vector<pid_t> seized);
  bool HasStoppedOrEnded(pid_t tid);
  std::optional<bool> LookForChange(pid_t tid, int& status);
  void CollectEnded();
  bool AwaitChange(pid_t tid, int& status);
  void CollectEnd(pid_t tid);
  void RunCollector(std::stop_token stop);

  pid_t pid_;
  bool is_child_;
  std::unordered_set<pid_t> stopped_;

  std::mutex mutex_;  // of the next two
  std::condition_variable_any over_;
  std::vector<pid_t> seized_;  // by this Stop
  bool is_seizing_ = false;
  // Collects threads that ended while Stop is held up; the last member, it uses the others.
  std::jthread collector_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROCESS_PROCESS_STOPPER_H_
