// delays: carries out what a thread's Perturbation decides.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_DELAYS_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_DELAYS_H_

#include "tracking.h"

namespace fthreadprof::race {

// FTHREADPROF_RACE_SEED.
void ReadSeed();
// Of a thread that no tracked thread has started: what its Perturbation begins with.
uint64_t IdentityOfAdopted(const RaceThread& thread);

// The thread holds a lock of the program now. Nothing without a seed.
void DelayInLock(RaceThread& thread, const _PyInterpreterFrame* frame);
// Before an access outside of the primitives' own code: waits for company at the thread's first.
// REQUIRES: there is a seed.
void DelayBeforeAccess(RaceThread& thread, const _PyInterpreterFrame* frame);
// Another thread has touched the variable, too. REQUIRES: there is a seed.
void DelayAtContention(RaceThread& thread, const _PyInterpreterFrame* frame);

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_DELAYS_H_
