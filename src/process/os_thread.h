// OsThread reads what /proc says of one thread of a target: its name, its CPU time, and what it is
// doing in the kernel.
//
// Lifetime: keeps the thread's `syscall` and `schedstat` files open once they were read, so that a
// look costs one pread. Thread safety: none.
#ifndef FTHREADPROF_PROCESS_OS_THREAD_H_
#define FTHREADPROF_PROCESS_OS_THREAD_H_

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace fthreadprof {

// What /proc/PID/task/TID/syscall says.
struct KernelActivity {
  enum class Kind {
    kRunning,  // on a CPU, or waiting for one
    kSyscall,  // blocked in system call `number` with `arguments`
    kBlocked,  // blocked, but not in a system call (a page fault)
  };
  Kind kind = Kind::kRunning;
  int64_t number = 0;
  std::array<uint64_t, 6> arguments{};
};

// Parses the text of a syscall file. Fails with kInvalidArgument.
absl::StatusOr<KernelActivity> ParseKernelActivity(std::string_view text);

// What the scheduler counts of a thread, so far.
struct SchedulerTimes {
  double cpu_s = 0;        // in steps of a scheduler tick while it runs
  double run_queue_s = 0;  // in which it wanted a CPU and had none
};

class OsThread {
 public:
  OsThread(pid_t pid, pid_t tid) : pid_(pid), tid_(tid) {}

  pid_t tid() const { return tid_; }
  // The OS thread's name, at most 15 bytes; "" when the thread is gone.
  std::string Comm() const;
  // Fails with kNotFound when the thread is gone.
  absl::StatusOr<SchedulerTimes> Times() const;
  // How often the scheduler put the thread on a CPU. One that waits all the time keeps its number.
  // Fails with kNotFound when the thread is gone or the kernel does not count.
  absl::StatusOr<uint64_t> Timeslices();
  // Fails with kNotFound when the thread is gone, kPermissionDenied when the kernel hides it.
  absl::StatusOr<KernelActivity> ReadActivity();
  // Whether the kernel hides the system calls of the thread, as ReadActivity found: then all that
  // it tells is whether the thread runs.
  bool is_hidden() const { return syscall_hidden_; }

 private:
  std::string Path(const char* file) const;
  absl::StatusOr<KernelActivity> ReadWhatIsShown();
  // From the state letter of `stat`, for kernels that hide `syscall`.
  absl::StatusOr<KernelActivity> ReadActivityFromStat() const;

  pid_t pid_;
  pid_t tid_;
  UniqueFd syscall_fd_;
  UniqueFd schedstat_fd_;
  bool syscall_hidden_ = false;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROCESS_OS_THREAD_H_
