// Which samples an output shows. All samples count in the threads' ledger.
#ifndef FTHREADPROF_PROFILE_SAMPLING_MODE_H_
#define FTHREADPROF_PROFILE_SAMPLING_MODE_H_

#include <cstdint>

#include "profile/thread_state.h"

namespace fthreadprof {

enum class SamplingMode : uint8_t {
  kActive,  // all but idle waits, sleep and I/O
  kWall,    // all
  kCpu,     // running Python or native code
  kGil,     // holding the GIL; where it is off, attached
};

inline constexpr size_t kSamplingModeCount = 4;

// "active", ...; static storage.
const char* SamplingModeName(SamplingMode mode);

// Whether `mode` shows a sample of a thread in `state`. `has_gil`: it held the GIL or, where that
// is off, was attached to the interpreter.
bool IsSelected(SamplingMode mode, ThreadState state, bool has_gil);

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROFILE_SAMPLING_MODE_H_
