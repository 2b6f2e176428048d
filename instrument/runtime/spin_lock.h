// SpinLock: mutual exclusion for the runtime's own tables. Held for tens of instructions, never
// while anything of CPython is called, so that no order of locks can arise with CPython's own.
//
// Not a pthread mutex: those may be interposed by the program, and the runtime must work in the
// child of a fork, where reset() makes it free again.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_SPIN_LOCK_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_SPIN_LOCK_H_

#include <sched.h>

#include <atomic>

namespace fthreadprof::race {

class SpinLock {
 public:
  constexpr SpinLock() = default;
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

  void Acquire() {
    while (held_.exchange(true, std::memory_order_acquire)) {
      for (int spins = 0; held_.load(std::memory_order_relaxed); ++spins) {
        // The holder may have lost its core to us.
        if (spins % 64 == 63) sched_yield();
        __builtin_ia32_pause();
      }
    }
  }
  void Release() { held_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> held_{false};
};

class SpinLockHolder {
 public:
  explicit SpinLockHolder(SpinLock& lock) : lock_(lock) { lock_.Acquire(); }
  ~SpinLockHolder() { lock_.Release(); }
  SpinLockHolder(const SpinLockHolder&) = delete;
  SpinLockHolder& operator=(const SpinLockHolder&) = delete;

 private:
  SpinLock& lock_;
};

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_SPIN_LOCK_H_
