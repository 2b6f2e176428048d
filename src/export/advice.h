// Advice: which way to run these threads (with the GIL, free threading, processes, asyncio) the
// figures of a recording speak for, and what speaks against it.
#ifndef FTHREADPROF_EXPORT_ADVICE_H_
#define FTHREADPROF_EXPORT_ADVICE_H_

#include <string>

#include "profile/profile.h"

namespace fthreadprof {

// Sentences, a line each, that end with '\n'; "" when the figures speak for nothing. Each names the
// figure that it rests on, and promises no more than Amdahl's law does. `cores`: of the machine.
// Names in it are of the target: control characters are escaped.
std::string Advice(const Profile& profile, unsigned cores);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_ADVICE_H_
