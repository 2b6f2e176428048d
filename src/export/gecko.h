// The Firefox Profiler's processed profile format (profiler.firefox.com, "Load a profile from
// file").
#ifndef FTHREADPROF_EXPORT_GECKO_H_
#define FTHREADPROF_EXPORT_GECKO_H_

#include <ostream>

#include "absl/status/status.h"
#include "export/export_options.h"
#include "profile/profile.h"

namespace fthreadprof {

// A thread with its own tables for each thread that has selected samples; processes are told apart
// by their pid. A sample's category is the thread's state. `options.threads` changes nothing:
// threads are apart anyway. Streams: needs some ten MiB beside the profile and a thread's tables.
absl::Status WriteGecko(const Profile& profile, const ExportOptions& options, std::ostream& out);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_GECKO_H_
