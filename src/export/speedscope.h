// speedscope's file format (www.speedscope.app/file-format-schema.json): one "sampled" profile a
// thread, shared frames, samples in the order of time.
#ifndef FTHREADPROF_EXPORT_SPEEDSCOPE_H_
#define FTHREADPROF_EXPORT_SPEEDSCOPE_H_

#include <ostream>

#include "absl/status/status.h"
#include "export/export_options.h"
#include "profile/profile.h"

namespace fthreadprof {

// Each sample weighs one sampling period, 1 / achieved_hz, in seconds; equal samples in a row are
// one with their common weight. Threads without selected samples are left out; without any sample
// there is one empty profile "no samples". `options.threads` changes nothing: threads are apart
// anyway. Streams: needs some ten MiB beside the profile, however long the recording.
absl::Status WriteSpeedscope(const Profile& profile, const ExportOptions& options,
                             std::ostream& out);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_SPEEDSCOPE_H_
