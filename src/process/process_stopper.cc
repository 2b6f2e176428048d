#include "process/process_stopper.h"

#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "process/proc_file.h"

namespace fthreadprof {
namespace {

constexpr int kSeizeTries = 50;  // a millisecond apart
// Most threads stop at once; the others are asked less often.
constexpr int kQuickLooks = 20;
constexpr std::chrono::milliseconds kCollectPeriod(10);

absl::Status Gone(pid_t pid) {
  return absl::NotFoundError(absl::StrCat("process ", pid, " has ended"));
}

// True when the thread has ended, or is a zombie that nobody has collected yet.
bool HasEnded(pid_t pid, pid_t tid) {
  const auto stat = ReadProcStat(absl::StrCat("/proc/", pid, "/task/", tid, "/stat"));
  return stat.ok() ? stat->has_ended() : absl::IsNotFound(stat.status());
}

bool IsTracedByUs(pid_t pid, pid_t tid) {
  const auto status = ReadProcFile(absl::StrCat("/proc/", pid, "/task/", tid, "/status"));
  return status.ok() && absl::StrContains(*status, absl::StrCat("\nTracerPid:\t", gettid(), "\n"));
}

// A thread that executes another program may forget that it shall stop. False when it is not ours
// any more: a thread that we do not hold has taken over its id.
bool InterruptAgain(pid_t tid) { return ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr) == 0; }

// Lets others run, before look number `looks` + 1.
void Pause(int looks) {
  const timespec pause = {.tv_sec = 0, .tv_nsec = 20'000};
  looks < kQuickLooks ? static_cast<void>(sched_yield())
                      : static_cast<void>(nanosleep(&pause, nullptr));
}

}  // namespace

ProcessStopper::ProcessStopper(pid_t pid, bool is_child)
    : pid_(pid),
      is_child_(is_child),
      collector_([this](std::stop_token stop) { RunCollector(std::move(stop)); }) {}

ProcessStopper::~ProcessStopper() { Resume(); }

absl::Status ProcessStopper::Stop() {
  const absl::Status status = StopAll();
  if (!status.ok()) Resume();
  return status;
}

// A thread that still runs may start another: only a look that finds none while all that are known
// stand still has found all.
absl::Status ProcessStopper::StopAll() {
  for (bool found = true; found;) {
    FTP_ASSIGN_OR_RETURN(found, StopNewThreads());
  }
  return stopped_.empty() ? Gone(pid_) : absl::OkStatus();
}

// Stops the threads that do not stand still yet; false when there is none.
absl::StatusOr<bool> ProcessStopper::StopNewThreads() {
  std::vector<pid_t> seized;
  absl::Status status;
  std::error_code error;
  std::filesystem::directory_iterator tasks(absl::StrCat("/proc/", pid_, "/task"), error);
  if (error) return Gone(pid_);
  for (; !error && tasks != std::filesystem::directory_iterator(); tasks.increment(error)) {
    pid_t tid = 0;
    if (!absl::SimpleAtoi(tasks->path().filename().string(), &tid) || stopped_.contains(tid)) {
      continue;
    }
    const absl::StatusOr<bool> is_ours = Seize(tid);
    status = is_ours.status();
    if (!status.ok()) break;
    if (*is_ours) seized.push_back(tid);
  }
  const bool found = !seized.empty();
  AwaitStops(std::move(seized));
  if (!status.ok()) return status;
  return found;
}

// While a thread executes another program, PTRACE_SEIZE of any other of its process waits for it,
// and it waits until the threads that we have seized already, which it ended, were collected: only
// another of our threads can do that.
void ProcessStopper::RunCollector(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!over_.wait_for(lock, stop, kCollectPeriod, [&] { return stop.stop_requested(); })) {
    if (!is_seizing_) continue;
    std::erase_if(seized_, [&](pid_t tid) {
      // A wait for ends would collect stops of the threads that we trace too.
      return tid != pid_ && HasEnded(pid_, tid) && waitpid(tid, nullptr, WNOHANG | __WALL) == tid;
    });
  }
}

// Begins to stop the thread. False when it has ended.
absl::StatusOr<bool> ProcessStopper::Seize(pid_t tid) {
  int reason = 0;
  // Neither a zombie can be seized nor a thread on its way there, which has given up its memory: a
  // refusal is only believed when the thread is still there after a while.
  for (int tries = 0; tries < kSeizeTries; ++tries) {
    reason = TrySeize(tid);
    if (reason != 0 && (reason == ESRCH || HasEnded(pid_, tid))) return false;
    // A thread that executes another program takes over the id of the first one, and may be ours.
    if (reason == 0 || IsTracedByUs(pid_, tid)) {
      ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
      return true;
    }
    const timespec pause = {.tv_sec = 0, .tv_nsec = 1'000'000};
    nanosleep(&pause, nullptr);
  }
  return absl::AbortedError(absl::StrCat("cannot stop thread ", tid, " of process ", pid_, " (",
                                         std::strerror(reason), "; another debugger may hold it)"));
}

// Returns 0 or errno.
int ProcessStopper::TrySeize(pid_t tid) {
  {
    const std::scoped_lock lock(mutex_);
    is_seizing_ = true;
  }
  const int error = ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) == 0 ? 0 : errno;
  const std::scoped_lock lock(mutex_);
  is_seizing_ = false;
  if (error == 0) seized_.push_back(tid);
  return error;
}

// Waits until each of the threads stands still or has ended. All at a time: one that executes
// another program ends the others, and it stops only when they were collected.
void ProcessStopper::AwaitStops(std::vector<pid_t> seized) {
  for (int looks = 0; !seized.empty(); ++looks) {
    std::erase_if(seized, [&](pid_t tid) { return HasStoppedOrEnded(tid); });
    if (seized.empty()) break;
    if (looks >= kQuickLooks) {
      CollectEnded();
      std::erase_if(seized, [](pid_t tid) { return !InterruptAgain(tid); });
    }
    Pause(looks);
  }
}

// True when the thread stands still, which is noted, or has ended.
bool ProcessStopper::HasStoppedOrEnded(pid_t tid) {
  int status = 0;
  const std::optional<bool> changed = LookForChange(tid, status);
  if (!changed) return false;
  if (!*changed || !WIFSTOPPED(status)) return true;
  if (status >> 16 == PTRACE_EVENT_STOP) {
    stopped_.insert(tid);
    return true;
  }
  // A signal came first: hand it on, our stop is still to come.
  ptrace(PTRACE_CONT, tid, nullptr, WSTOPSIG(status));
  return false;
}

// Looks whether the thread stopped or ended, and collects that. Nothing when it did neither; false
// when it has ended, and its end is not ours to collect.
std::optional<bool> ProcessStopper::LookForChange(pid_t tid, int& status) {
  // A child's end is for whoever launched it to collect.
  const int ends = tid == pid_ && is_child_ ? 0 : WEXITED;
  siginfo_t info = {};
  if (waitid(P_PID, static_cast<id_t>(tid), &info, ends | WSTOPPED | WNOHANG | __WALL) != 0) {
    return errno == EINTR ? std::nullopt : std::optional(false);
  }
  if (info.si_pid == 0) {
    // The first thread may be a zombie while others run on; nothing tells of that.
    return tid == pid_ && HasEnded(pid_, tid) ? std::optional(false) : std::nullopt;
  }
  const bool has_stopped = info.si_code == CLD_TRAPPED || info.si_code == CLD_STOPPED;
  status = has_stopped ? W_STOPCODE(info.si_status) : 0;
  return true;
}

// Waits for the thread's next stop or end, and collects it. False when it has ended, and its end is
// not ours to collect.
bool ProcessStopper::AwaitChange(pid_t tid, int& status) {
  for (int looks = 0;; ++looks) {
    if (const std::optional<bool> changed = LookForChange(tid, status)) return *changed;
    if (looks >= kQuickLooks && !InterruptAgain(tid)) return false;
    Pause(looks);
  }
}

// Collects the threads that stood still and have ended since.
void ProcessStopper::CollectEnded() {
  std::erase_if(stopped_, [&](pid_t tid) {
    int status = 0;
    if (tid == pid_) return false;
    const pid_t changed = waitpid(tid, &status, __WALL | WNOHANG);
    return changed == tid && !WIFSTOPPED(status);
  });
}

void ProcessStopper::Resume() {
  std::vector<pid_t> ended;
  for (const pid_t tid : stopped_) {
    // Only SIGKILL and exec move a stopped thread: what can't be detached is about to end, or a
    // thread that has taken over the id of the first one.
    if (ptrace(PTRACE_DETACH, tid, nullptr, nullptr) != 0) ended.push_back(tid);
  }
  for (const pid_t tid : ended) CollectEnd(tid);
  stopped_.clear();
  {
    const std::scoped_lock lock(mutex_);
    seized_.clear();
  }
  // A first thread that ended while we held it is released by this, if all others have ended; not
  // that of a child.
  if (!is_child_) waitpid(pid_, nullptr, WNOHANG | __WALL);
}

// Until its tracer collects a thread, nobody hears of the end of the process.
void ProcessStopper::CollectEnd(pid_t tid) {
  int status = 0;
  while (AwaitChange(tid, status) && WIFSTOPPED(status)) {
    if (ptrace(PTRACE_DETACH, tid, nullptr, nullptr) == 0) return;
  }
}

}  // namespace fthreadprof
