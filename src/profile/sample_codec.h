// Samples as bytes, for the log in memory and for recordings (docs/recording-format.md): columns of
// varints in which a run of equal samples of a thread is a run of zeros, so that zstd makes next to
// nothing of it.
//
// Thread safety: pure functions.
#ifndef FTHREADPROF_PROFILE_SAMPLE_CODEC_H_
#define FTHREADPROF_PROFILE_SAMPLE_CODEC_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "profile/thread_state.h"

namespace fthreadprof {

struct LoggedSample {
  uint32_t thread = 0;  // ThreadIndex
  uint32_t stack = 0;   // StackId
  ThreadState state = ThreadState::kOther;
  bool has_gil = false;  // it held the GIL or, where that is off, was attached
  uint64_t time_us = 0;  // of its pass, in microseconds since the recording began; never decreasing
  uint32_t weight = 1;   // passes that it stands for: 1, but for asyncio tasks
  uint32_t lock = 0;     // LockId of what it waits for; 0: none, or not known
  uint32_t holder = 0;   // StackId of the thread that held that lock; kEmptyStack: not known
  bool stops_world = false;  // all other threads were stopped, at its request

  friend bool operator==(const LoggedSample&, const LoggedSample&) = default;
};

// The bytes are: count, first time, kinds (count, then of each stack, GIL, stop and state in one
// number, the weight, the lock, and its holder), and three columns of `count` varints: the time as
// the difference to the sample before, the thread, and the kind: 0 for "as this thread's last
// sample here", else 1 + the index of the kind. REQUIRES: there is a sample, and times never
// decrease.
std::string EncodeSamples(std::span<const LoggedSample> samples);

// What was encoded. The bytes may be anything: fails with kDataLoss, and needs at most fourteen
// times the memory that they take. Threads, stacks and locks are the caller's to check.
absl::StatusOr<std::vector<LoggedSample>> DecodeSamples(std::string_view raw);

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROFILE_SAMPLE_CODEC_H_
