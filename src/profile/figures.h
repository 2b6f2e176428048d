// Figures that are worked out of a whole profile: what its summary shows and gates compare.
//
// Thread safety: pure functions. Nothing measured is nullopt, never a made-up number.
#ifndef FTHREADPROF_PROFILE_FIGURES_H_
#define FTHREADPROF_PROFILE_FIGURES_H_

#include <optional>

#include "profile/profile.h"

namespace fthreadprof {

// The mean number of threads that ran Python. A thread that is attached may still wait for a CPU,
// so the CPU time of the processes bounds it.
std::optional<double> EffectiveCores(const Profile& profile);

// The share of all thread time that was spent in `state`, 0 to 1.
std::optional<double> StateFraction(const Profile& profile, ThreadState state);

// The share of thread samples that were dropped because they did not hold together.
std::optional<double> TornFraction(const Profile& profile);

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROFILE_FIGURES_H_
