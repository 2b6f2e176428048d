// The summary: the figures of a recording as JSON, schema "fthreadprof.summary/1"
// (docs/outputs.md). What this version does not measure is null or empty, never a made-up number.
#ifndef FTHREADPROF_EXPORT_SUMMARY_H_
#define FTHREADPROF_EXPORT_SUMMARY_H_

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "profile/profile.h"

namespace fthreadprof {

absl::Status WriteSummary(const Profile& profile, std::ostream& out);
// Writes the summary to the file `path` ("-": standard output), whole or not at all. Fails as
// AtomicFile does.
absl::Status WriteSummaryToFile(const Profile& profile, const std::string& path);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_SUMMARY_H_
