#include "contention/thread_activity.h"

#include <sys/syscall.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace fthreadprof {
namespace {

// How long a thread that was seen in the same wait again is trusted to wait on, in seconds: at
// first and at most.
constexpr double kFirstTrust = 0.001;
constexpr double kMaxTrust = 0.128;
// Cores in use that attached threads don't account for, from which on every thread is looked at:
// one of those that waited runs native code by now. What threads need to wake up and wait again
// stays below.
constexpr double kUnexplainedCores = 0.5;

// Functions of the standard library in which a thread waits for work. A Queue's get and a
// Semaphore's acquire end in Condition.wait; SimpleQueue.get is C, so its callers stand here.
struct IdleFunction {
  std::string_view file;
  std::string_view function;
};
constexpr IdleFunction kIdleFunctions[] = {
    {"/threading.py", "Condition.wait"}, {"/threading.py", "Event.wait"},
    {"/threading.py", "Thread.join"},    {"/threading.py", "Thread._wait_for_tstate_lock"},
    {"/threading.py", "_shutdown"},      {"/concurrent/futures/thread.py", "_worker"},
};

}  // namespace

bool IsIdleWait(const std::vector<StackFrame>& frames) {
  if (frames.empty()) return false;
  const CodeInfo& code = *frames.front().code;
  return std::any_of(std::begin(kIdleFunctions), std::end(kIdleFunctions),
                     [&](const IdleFunction& idle) {
                       return code.function == idle.function && code.file.ends_with(idle.file);
                     });
}

bool IsConditionWait(const std::vector<StackFrame>& frames) {
  if (frames.empty()) return false;
  const CodeInfo& code = *frames.front().code;
  return (code.function == "Condition.wait" || code.function == "Condition._acquire_restore") &&
         code.file.ends_with("/threading.py");
}

ThreadState ClassifyWait(const KernelActivity& activity, uint64_t gil_address) {
  switch (activity.kind) {
    case KernelActivity::Kind::kRunning:
      return ThreadState::kNative;
    case KernelActivity::Kind::kBlocked:
      return ThreadState::kOther;
    case KernelActivity::Kind::kSyscall:
      break;
  }
  switch (activity.number) {
    case SYS_futex: {
      const uint64_t word = activity.arguments[0];
      const bool in_gil =
          gil_address != 0 && word >= gil_address && word < gil_address + DebugOffsets::kMaxGilSize;
      return in_gil ? ThreadState::kGilWait : ThreadState::kOther;
    }
    case SYS_pause:
    case SYS_rt_sigsuspend:
    case SYS_rt_sigtimedwait:
      return ThreadState::kIdle;
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
      return ThreadState::kSleep;
    case SYS_read:
    case SYS_write:
    case SYS_readv:
    case SYS_writev:
    case SYS_pread64:
    case SYS_pwrite64:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_accept:
    case SYS_accept4:
    case SYS_connect:
    case SYS_poll:
    case SYS_ppoll:
    case SYS_select:
    case SYS_pselect6:
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_fsync:
    case SYS_fdatasync:
    case SYS_wait4:
    case SYS_waitid:
    case SYS_flock:
    case SYS_open:
    case SYS_openat:
      return ThreadState::kIo;
    default:
      return ThreadState::kOther;
  }
}

// A futex that is not the GIL's.
ThreadState ThreadActivity::ClassifyLock(const PythonThread& thread, const KernelActivity& activity,
                                         ParkedOn& parked) {
  if (IsIdleWait(thread.frames)) return ThreadState::kIdle;
  if (locks_ == nullptr) return ThreadState::kOther;
  parked = locks_->Read(activity, thread);
  switch (parked.kind) {
    case ParkedOn::Kind::kStopped:
      return ThreadState::kStopped;
    case ParkedOn::Kind::kQueue:
      return ThreadState::kIdle;
    case ParkedOn::Kind::kLock:
    case ParkedOn::Kind::kRLock:
    case ParkedOn::Kind::kObject:
      return ThreadState::kLockWait;
    case ParkedOn::Kind::kNative:
      return ThreadState::kNativeLock;
    case ParkedOn::Kind::kNothing:
      break;
  }
  return ThreadState::kOther;
}

const ParkedOn& ThreadActivity::LastParked(pid_t tid) const {
  static const ParkedOn kNothing;
  const auto wait = waits_.find(tid);
  return wait == waits_.end() ? kNothing : wait->second.parked;
}

void ThreadActivity::UpdateCpu(double now_s, double process_cpu_s, size_t attached) {
  const double elapsed = now_s - now_s_;
  const double used = process_cpu_s - process_cpu_s_;
  // What the attached threads can have used, if they were attached all the time.
  const double explained = elapsed * static_cast<double>(std::min(attached, attached_));
  unexplained_cores_ = elapsed > 0 ? (used - explained) / elapsed : 0;
  now_s_ = now_s;
  process_cpu_s_ = process_cpu_s;
  attached_ = attached;
}

// True when the thread has not run since it was seen to wait: it still does. One that was woken and
// has got no CPU yet counts as waiting, too. Where the kernel does not count, it is not known.
bool ThreadActivity::StillWaits(Wait& wait, const PythonThread& thread) const {
  const uint64_t before = wait.timeslices;
  // Before the state is read, so that a thread that runs meanwhile has another number next time.
  wait.timeslices = wait.os_thread.Timeslices().value_or(0);
  return before != 0 && wait.timeslices == before && thread.unchanged;
}

ThreadState ThreadActivity::Classify(const PythonThread& thread, pid_t tid, const GilState& gil) {
  if (thread.attachment == PythonThread::Attachment::kAttached) {
    const auto it = waits_.find(tid);
    if (it != waits_.end()) it->second.timeslices = 0;
    return ThreadState::kRunning;
  }
  Wait& wait = waits_.try_emplace(tid, Wait{OsThread(pid_, tid)}).first->second;
  if (wait.timeslices != 0 && thread.unchanged && now_s_ - wait.looked_s < wait.trust_s &&
      unexplained_cores_ < kUnexplainedCores) {
    return wait.state;
  }
  ++looks_;
  wait.looked_s = now_s_;
  if (StillWaits(wait, thread) && unexplained_cores_ < kUnexplainedCores) {
    wait.trust_s = std::clamp(2 * wait.trust_s, kFirstTrust, kMaxTrust);
    return wait.state;
  }
  wait.trust_s = 0;
  const auto activity = wait.os_thread.ReadActivity();
  wait.state = activity.ok() ? ClassifyWait(*activity, gil.address) : ThreadState::kOther;
  const bool on_lock = activity.ok() && activity->kind == KernelActivity::Kind::kSyscall &&
                       activity->number == SYS_futex && wait.state == ThreadState::kOther;
  is_blind_ |= wait.os_thread.is_hidden();
  wait.parked = {};
  if (on_lock) wait.state = ClassifyLock(thread, *activity, wait.parked);
  if (!activity.ok() || wait.state == ThreadState::kNative) wait.timeslices = 0;
  return wait.state;
}

}  // namespace fthreadprof
