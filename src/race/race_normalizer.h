// What a C function did is not always what the Python program did: a for loop reads elements one by
// one, and a module's global may be found through the dict that holds it. Tells a race in Python's
// terms.
//
// Thread safety: none (the analysis is filled as it is used).
#ifndef FTHREADPROF_RACE_RACE_NORMALIZER_H_
#define FTHREADPROF_RACE_RACE_NORMALIZER_H_

#include "race/log_analysis.h"

namespace fthreadprof {

LoggedRace NormalizeRace(LogAnalysis& analysis, LoggedRace race);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_RACE_NORMALIZER_H_
