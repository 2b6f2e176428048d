// RaceFilter: takes out of a report what is no finding: races that a suppression explains, races
// that are not in the user's own code, races that the baseline knows; in this order, so that
// --include '*' shows exactly what the second step left out.
//
// Lifetime: a value. Thread safety: none needed.
#ifndef FTHREADPROF_RACE_RACE_FILTER_H_
#define FTHREADPROF_RACE_RACE_FILTER_H_

#include <optional>

#include "absl/time/civil_time.h"
#include "race/baseline.h"
#include "race/own_code.h"
#include "race/race_report.h"
#include "race/suppressions.h"

namespace fthreadprof {

struct RaceFilter {
  OwnCode own_code;  // as in the ReportOptions of the report
  Suppressions built_in;
  Suppressions user;  // asked first
  std::optional<Baseline> baseline;
  absl::CivilDay today;  // a rule counts until its last day is over

  // Moves races of `report` to its `left_out`, with notices about rules that have expired.
  // REQUIRES: nothing was left out of it before.
  void Apply(RaceReport& report) const;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_RACE_FILTER_H_
