#include "profile/thread_state.h"

namespace fthreadprof {

const char* ThreadStateName(ThreadState state) {
  switch (state) {
    case ThreadState::kRunning:
      return "running";
    case ThreadState::kNative:
      return "native";
    case ThreadState::kRunnable:
      return "runnable";
    case ThreadState::kGilWait:
      return "gil_wait";
    case ThreadState::kLockWait:
      return "lock_wait";
    case ThreadState::kNativeLock:
      return "native_lock";
    case ThreadState::kStopped:
      return "stopped";
    case ThreadState::kIdle:
      return "idle";
    case ThreadState::kIo:
      return "io";
    case ThreadState::kSleep:
      return "sleep";
    case ThreadState::kOther:
      return "other";
    case ThreadState::kAwaiting:
      return "awaiting";
  }
  return "other";
}

}  // namespace fthreadprof
