// What leaves races out of a report: the files and patterns that the options of `race` name, and
// the built-in suppressions beside the hook tables.
//
// Read before the command runs, so that a mistake in them costs no run. Errors are sentences for
// the user, with file and line.
#ifndef FTHREADPROF_CLI_RACE_SUPPRESSIONS_H_
#define FTHREADPROF_CLI_RACE_SUPPRESSIONS_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "race/race_filter.h"
#include "race/race_report.h"

namespace fthreadprof {

struct SuppressionOptions {
  std::optional<std::string> suppressions;  // file names
  std::optional<std::string> baseline;
  std::optional<std::string> write_baseline;
  std::vector<std::string> include;
  std::vector<std::string> exclude;

  void AddTo(CLI::App& race);
};

// `outputs` are the other files that will be written.
[[nodiscard]] absl::StatusOr<RaceFilter> LoadRaceFilter(const SuppressionOptions& options,
                                                        const std::vector<std::string>& outputs);

// Writes the baseline that the options ask for, if any: of the races that are left in `report`, and
// of those of the filter's own baseline.
[[nodiscard]] absl::Status WriteBaseline(const SuppressionOptions& options,
                                         const RaceFilter& filter, const RaceReport& report);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_RACE_SUPPRESSIONS_H_
