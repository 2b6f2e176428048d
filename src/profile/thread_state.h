// What a thread did at the moment of a sample. The names are those of the summary's schema.
#ifndef FTHREADPROF_PROFILE_THREAD_STATE_H_
#define FTHREADPROF_PROFILE_THREAD_STATE_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fthreadprof {

enum class ThreadState : uint8_t {
  kRunning,   // attached: runs Python code, or waits for a CPU to do so
  kNative,    // native code without the GIL, on a CPU
  kRunnable,  // wants a CPU and has none
  kGilWait,
  kLockWait,
  kNativeLock,
  kStopped,  // by a stop-the-world
  kIdle,     // event, condition, queue, join
  kIo,
  kSleep,
  kOther,  // not known
  // Of an asyncio task (ProfiledThread::tasks), never of a thread: it waits, for what it awaits or
  // for its turn.
  kAwaiting,
};

inline constexpr size_t kThreadStateCount = 12;

using ThreadStates = std::bitset<kThreadStateCount>;  // by number

// "running", "gil_wait", ...; static storage.
const char* ThreadStateName(ThreadState state);
// Nothing when no state is called so.
std::optional<ThreadState> FindThreadState(std::string_view name);

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROFILE_THREAD_STATE_H_
