// The sentences of a report: what went wrong and what to do about it, fitted to the kind of race,
// the object and the locks held.
//
// Thread safety: pure functions.
#ifndef FTHREADPROF_RACE_ADVICE_H_
#define FTHREADPROF_RACE_ADVICE_H_

#include <string>

#include "race/object_namer.h"
#include "race/race_log_reader.h"
#include "race/race_report.h"

namespace fthreadprof {

// What the sentences are about. REQUIRES: race.kind, race.object and race.accesses are filled in.
struct AdviceInput {
  const Race& race;
  const LoggedRace& logged;
  const ObjectName& name;
};

std::string MessageFor(const AdviceInput& input);
std::string AdviceFor(const AdviceInput& input);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_ADVICE_H_
