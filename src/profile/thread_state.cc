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

std::optional<ThreadState> FindThreadState(std::string_view name) {
  for (size_t i = 0; i < kThreadStateCount; ++i) {
    const auto state = static_cast<ThreadState>(i);
    if (name == ThreadStateName(state)) return state;
  }
  return std::nullopt;
}

}  // namespace fthreadprof
