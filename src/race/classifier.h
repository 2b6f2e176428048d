// What kind of race two accesses are: docs/race-report.md has the table.
//
// Thread safety: none (the analysis is filled as it is used).
#ifndef FTHREADPROF_RACE_CLASSIFIER_H_
#define FTHREADPROF_RACE_CLASSIFIER_H_

#include "race/log_analysis.h"
#include "race/race_report.h"

namespace fthreadprof {

RaceKind ClassifyRace(LogAnalysis& analysis, const LoggedRace& race);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_CLASSIFIER_H_
