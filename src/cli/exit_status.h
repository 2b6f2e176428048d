// What the tool's failures look like from outside: one plain sentence on standard error, and exit
// status 125.
#ifndef FTHREADPROF_CLI_EXIT_STATUS_H_
#define FTHREADPROF_CLI_EXIT_STATUS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace fthreadprof {

// The tool itself failed: no exit status of the command can be told.
inline constexpr int kToolFailed = 125;

// Says on standard error what failed; returns kToolFailed.
int ReportFailure(const absl::Status& status);
// The value, or what ReportFailure returns.
int ExitStatusOf(const absl::StatusOr<int>& result);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_EXIT_STATUS_H_
