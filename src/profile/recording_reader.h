// Reads a recording (docs/recording-format.md) into a Profile.
//
// The file may be anything: no length in it is trusted, and memory is bounded by the limits in
// recording_format.h, a block at a time. Thread safety: none needed, functions share nothing.
#ifndef FTHREADPROF_PROFILE_RECORDING_READER_H_
#define FTHREADPROF_PROFILE_RECORDING_READER_H_

#include <istream>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "profile/profile.h"

namespace fthreadprof {

enum class RecordingEnd {
  kComplete,
  kCutOff,  // the profiler was killed, or the file was cut: what came before is in the profile
};

// Reads all of `in` into `profile`, which must be new. `name` stands in messages. `mode`: which
// samples are selected, else those of the mode it was recorded with. Fails with kInvalidArgument
// (no recording, another version, nothing in it) or kDataLoss (damaged), in one plain sentence.
absl::StatusOr<RecordingEnd> ReadRecording(std::istream& in, const std::string& name,
                                           std::optional<SamplingMode> mode, Profile& profile);

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROFILE_RECORDING_READER_H_
