// OsProcess answers from /proc what the kernel knows of a process: does it exist, what it runs, how
// much CPU it used, and how thread ids in its pid namespace map to ours.
//
// Thread safety: none.
#ifndef FTHREADPROF_PROCESS_OS_PROCESS_H_
#define FTHREADPROF_PROCESS_OS_PROCESS_H_

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"

namespace fthreadprof {

class OsProcess {
 public:
  // Fails with kNotFound when there is no process `pid`.
  static absl::StatusOr<OsProcess> Open(pid_t pid);

  pid_t pid() const { return pid_; }
  // Where the executable is (or was), as the kernel names it; "" when that may not be read.
  std::string Executable() const;
  // The command line, arguments joined by spaces; "" for a kernel thread.
  std::string CommandLine() const;
  // The effective uid it runs as.
  uid_t uid() const { return uid_; }
  // False once it has ended or is a zombie, also when another process has its PID by now.
  bool IsAlive() const;

  // CPU seconds of all threads so far, with the resolution of the scheduler's clock. Fails with
  // kNotFound when the process is gone.
  absl::StatusOr<double> CpuSeconds() const;

  // The thread id in our pid namespace of the thread that its own namespace calls `tid`: the same
  // number unless the target lives in another namespace. Nothing when there is no such thread (any
  // more).
  std::optional<pid_t> HostTid(pid_t tid);

 private:
  explicit OsProcess(pid_t pid) : pid_(pid) {}
  void ReadNamespacedTids();

  pid_t pid_;
  uid_t uid_ = 0;
  uint64_t start_time_ = 0;  // as ProcStat has it
  clockid_t cpu_clock_ = 0;
  bool in_other_namespace_ = false;
  std::unordered_map<pid_t, pid_t> host_tids_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROCESS_OS_PROCESS_H_
