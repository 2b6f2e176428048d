// ThreadActivity says what a thread did at the moment of a sample, from what the interpreter's
// memory tells and, where that leaves it open, from the kernel.
//
// A thread that is attached runs Python code, or waits for a CPU to do so: no look into /proc is
// needed. A detached one may run native code, wait, or be about to attach: the kernel knows. A look
// costs about as much as reading a stack, so a thread that did not run since it was seen to wait is
// not looked at again for a while, twice as long each time, as long as its stack stays as it was
// and the process uses no more CPU than its attached threads account for. That it did not run tells
// a long wait from short ones on the same line.
//
// Lifetime: keeps a file descriptor for each thread that was looked at until Forget. Thread safety:
// none.
#ifndef FTHREADPROF_CONTENTION_THREAD_ACTIVITY_H_
#define FTHREADPROF_CONTENTION_THREAD_ACTIVITY_H_

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "contention/lock_reader.h"
#include "process/os_thread.h"
#include "profile/thread_state.h"
#include "python/interpreter_reader.h"

namespace fthreadprof {

// What a blocked thread waits for, as far as its system call tells. `gil_address` is the address of
// the target's GIL: a futex inside it is the GIL's.
ThreadState ClassifyWait(const KernelActivity& activity, uint64_t gil_address);

// True when a thread blocked on a lock inside this stack waits for work or an event rather than for
// a lock that somebody holds too long: Condition.wait, Event.wait, Queue.get, join and their like.
bool IsIdleWait(const std::vector<StackFrame>& frames);

// True when a thread has given the lock of a Condition back: it is in Condition.wait, or asks for
// the lock again at its end.
bool IsConditionWait(const std::vector<StackFrame>& frames);

class ThreadActivity {
 public:
  explicit ThreadActivity(pid_t pid) : pid_(pid) {}

  // Whose memory tells which lock a thread waits for; null: those states are kOther. REQUIRES: it
  // outlives this, or the next call.
  void set_locks(LockReader* locks) { locks_ = locks; }

  // Tells the CPU use of the process; call it about every millisecond. `now_s`: monotonic seconds,
  // `process_cpu_s`: CPU seconds of the process so far, `attached`: how many threads are attached.
  void UpdateCpu(double now_s, double process_cpu_s, size_t attached);

  // The state of `thread`, whose id in our pid namespace is `tid`.
  ThreadState Classify(const PythonThread& thread, pid_t tid, const GilState& gil);

  // Whether the kernel hid what threads wait for.
  bool is_blind() const { return is_blind_; }

  // What the thread waits for, when Classify has just said that it waits for a lock. Valid until
  // the next call.
  const ParkedOn& LastParked(pid_t tid) const;

  // The thread has ended.
  void Forget(pid_t tid) { waits_.erase(tid); }

  // Looks into /proc so far.
  uint64_t looks() const { return looks_; }

 private:
  // A thread that was seen detached.
  struct Wait {
    OsThread os_thread;
    ThreadState state = ThreadState::kOther;
    ParkedOn parked{};
    double looked_s = 0;
    double trust_s = 0;       // so long after that it is taken to wait on
    uint64_t timeslices = 0;  // when it was looked at; 0: it did not wait, or that is not known
  };

  bool StillWaits(Wait& wait, const PythonThread& thread) const;
  ThreadState ClassifyLock(const PythonThread& thread, const KernelActivity& activity,
                           ParkedOn& parked);

  pid_t pid_;
  LockReader* locks_ = nullptr;
  double now_s_ = 0;
  double process_cpu_s_ = 0;
  size_t attached_ = 0;
  double unexplained_cores_ = 0;  // in use lately, by threads that were not attached
  uint64_t looks_ = 0;
  bool is_blind_ = false;
  absl::flat_hash_map<pid_t, Wait> waits_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_CONTENTION_THREAD_ACTIVITY_H_
