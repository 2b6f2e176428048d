// pprof's profile.proto, compressed with gzip: for `go tool pprof` and all that reads its files.
#ifndef FTHREADPROF_EXPORT_PPROF_H_
#define FTHREADPROF_EXPORT_PPROF_H_

#include <ostream>

#include "absl/status/status.h"
#include "export/export_options.h"
#include "profile/profile.h"

namespace fthreadprof {

// A sample for each thread, stack and state, with the values samples/count and wall/nanoseconds (a
// sample is worth one period, 1 / achieved_hz) and the labels thread, tid, process and state. With
// `options.threads` the outermost frame is the thread.
absl::Status WritePprof(const Profile& profile, const ExportOptions& options, std::ostream& out);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_PPROF_H_
