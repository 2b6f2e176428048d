// The outputs of `fthreadprof race`: files by their endings, and standard error.
//
// A report goes to the files that are asked for, and its last line to standard error; without files
// all of it does. Never to standard output, which is the command's. Errors are sentences for the
// user.
#ifndef FTHREADPROF_CLI_RACE_OUTPUT_H_
#define FTHREADPROF_CLI_RACE_OUTPUT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "race/race_report.h"

namespace fthreadprof {

// Whether each ending is known, no name comes twice, and each file can be written.
[[nodiscard]] absl::Status CheckRaceOutputs(const std::vector<std::string>& paths);

// Writes all that can be written; the first failure is the result. Text goes to standard error when
// `paths` is empty.
[[nodiscard]] absl::Status WriteRaceOutputs(const RaceReport& report, int exit_status,
                                            const std::vector<std::string>& paths);

// What standard error is told when the report itself went to files: notices, which tests had races,
// and the last line.
std::string RaceSummary(const RaceReport& report, int exit_status);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_RACE_OUTPUT_H_
