// ProcessStopper holds all threads of a process still for a moment (ptrace), for --blocking.
//
// Lifetime: attaches to the threads it meets and lets go of them all when destroyed; when the
// profiler dies, the kernel lets go. Thread safety: none; ptrace binds it to the thread that made
// it.
#ifndef FTHREADPROF_PROCESS_PROCESS_STOPPER_H_
#define FTHREADPROF_PROCESS_PROCESS_STOPPER_H_

#include <sys/types.h>

#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"

namespace fthreadprof {

class ProcessStopper {
 public:
  // `is_child`: the process is our child, and somebody else waits for its end.
  ProcessStopper(pid_t pid, bool is_child) : pid_(pid), is_child_(is_child) {}
  ProcessStopper(const ProcessStopper&) = delete;
  ProcessStopper& operator=(const ProcessStopper&) = delete;
  ~ProcessStopper();

  // Stops every thread, also those that start meanwhile. Fails with kNotFound when the process is
  // gone, kPermissionDenied.
  absl::Status Stop();
  // Lets all threads go on. REQUIRES: Stop succeeded.
  void Resume();

 private:
  struct Tracee {
    bool stopped = false;
    bool job_control = false;  // stopped by SIGSTOP or its like, not only by us
  };

  absl::Status SeizeNewThreads(bool& found);
  void AwaitStop(pid_t tid, Tracee& tracee);

  pid_t pid_;
  bool is_child_;
  absl::flat_hash_map<pid_t, Tracee> tracees_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROCESS_PROCESS_STOPPER_H_
