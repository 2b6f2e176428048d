#include "profile/sampling_mode.h"

namespace fthreadprof {

const char* SamplingModeName(SamplingMode mode) {
  switch (mode) {
    case SamplingMode::kActive:
      return "active";
    case SamplingMode::kWall:
      return "wall";
    case SamplingMode::kCpu:
      return "cpu";
    case SamplingMode::kGil:
      break;
  }
  return "gil";
}

bool IsSelected(SamplingMode mode, ThreadState state, bool has_gil) {
  switch (mode) {
    case SamplingMode::kWall:
      return true;
    case SamplingMode::kCpu:
      return state == ThreadState::kRunning || state == ThreadState::kNative;
    case SamplingMode::kGil:
      return has_gil;
    case SamplingMode::kActive:
      break;
  }
  return state != ThreadState::kIdle && state != ThreadState::kIo && state != ThreadState::kSleep;
}

}  // namespace fthreadprof
