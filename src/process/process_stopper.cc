#include "process/process_stopper.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace fthreadprof {

ProcessStopper::~ProcessStopper() {
  for (auto& [tid, tracee] : tracees_) {
    // Only a stopped thread can be let go of.
    if (!tracee.stopped) {
      if (ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr) != 0) continue;
      AwaitStop(tid, tracee);
    }
    if (tracee.stopped) ptrace(PTRACE_DETACH, tid, nullptr, nullptr);
  }
}

absl::Status ProcessStopper::SeizeNewThreads(bool& found) {
  found = false;
  std::error_code error;
  std::filesystem::directory_iterator tasks(absl::StrCat("/proc/", pid_, "/task"), error);
  if (error) return absl::NotFoundError(absl::StrCat("process ", pid_, " has ended"));
  for (; tasks != std::filesystem::directory_iterator(); tasks.increment(error)) {
    if (error) break;
    pid_t tid = 0;
    if (!absl::SimpleAtoi(tasks->path().filename().string(), &tid) || tracees_.contains(tid)) {
      continue;
    }
    if (ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) != 0) {
      if (errno == ESRCH) continue;
      return absl::PermissionDeniedError(absl::StrCat("cannot stop thread ", tid, " of process ",
                                                      pid_, " (", std::strerror(errno),
                                                      "; another debugger may hold it)"));
    }
    tracees_.emplace(tid, Tracee{});
    found = true;
  }
  return absl::OkStatus();
}

// Waits until `tid` stands still; `stopped` stays false when it has ended instead.
void ProcessStopper::AwaitStop(pid_t tid, Tracee& tracee) {
  for (;;) {
    siginfo_t info = {};
    if (waitid(P_PID, static_cast<id_t>(tid), &info, WEXITED | WSTOPPED | WNOWAIT | __WALL) != 0) {
      if (errno == EINTR) continue;
      return;
    }
    const bool ended =
        info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED;
    // A child's end is for whoever launched it to collect.
    if (ended && is_child_ && tid == pid_) return;
    int status = 0;
    if (waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status)) return;
    const bool is_interrupt = status >> 16 == PTRACE_EVENT_STOP;
    if (!is_interrupt) {
      // A signal came first: hand it on, our stop is still to come.
      ptrace(PTRACE_CONT, tid, nullptr, WSTOPSIG(status));
      continue;
    }
    tracee.stopped = true;
    tracee.job_control = WSTOPSIG(status) != SIGTRAP;
    return;
  }
}

absl::Status ProcessStopper::Stop() {
  // A thread that still runs may start another: stop, look, and stop again until none is new.
  bool found = true;
  while (found) {
    FTP_RETURN_IF_ERROR(SeizeNewThreads(found));
    std::vector<pid_t> running;
    for (auto& [tid, tracee] : tracees_) {
      if (tracee.stopped) continue;
      ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
      running.push_back(tid);
    }
    for (const pid_t tid : running) {
      Tracee& tracee = tracees_[tid];
      AwaitStop(tid, tracee);
      if (!tracee.stopped) tracees_.erase(tid);
    }
  }
  if (tracees_.empty()) return absl::NotFoundError(absl::StrCat("process ", pid_, " has ended"));
  return absl::OkStatus();
}

void ProcessStopper::Resume() {
  for (auto& [tid, tracee] : tracees_) {
    if (!tracee.stopped) continue;
    // A thread that SIGSTOP or a shell holds stays held.
    ptrace(tracee.job_control ? PTRACE_LISTEN : PTRACE_CONT, tid, nullptr, nullptr);
    tracee = Tracee{};
  }
}

}  // namespace fthreadprof
