// Perfetto's trace format, for ui.perfetto.dev and trace_processor.
#ifndef FTHREADPROF_EXPORT_PERFETTO_H_
#define FTHREADPROF_EXPORT_PERFETTO_H_

#include <ostream>

#include "absl/status/status.h"
#include "export/export_options.h"
#include "profile/profile.h"

namespace fthreadprof {

// A track for each process and thread, a PerfSample with its callstack for each sample, and slices
// on the thread's track that say what it did: "running", "gil_wait" and so on, from the first
// sample in that state to the first in another. Time begins with the recording. `options.threads`
// changes nothing: threads are apart anyway. Streams.
absl::Status WritePerfetto(const Profile& profile, const ExportOptions& options, std::ostream& out);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_PERFETTO_H_
