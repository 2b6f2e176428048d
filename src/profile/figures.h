// Figures that are worked out of a whole profile: what its summary shows and gates compare.
//
// Thread safety: pure functions. Nothing measured is nullopt, never a made-up number.
#ifndef FTHREADPROF_PROFILE_FIGURES_H_
#define FTHREADPROF_PROFILE_FIGURES_H_

#include <array>
#include <optional>

#include "profile/profile.h"

namespace fthreadprof {

// The mean number of threads that ran Python. A thread that is attached may still wait for a CPU,
// so the CPU time of the processes bounds it.
std::optional<double> EffectiveCores(const Profile& profile);

// How far apart the passes were; 0 when there were none.
double PeriodSeconds(const Profile& profile);

// By state, its share, 0 to 1. They add up to 1, or are all 0 where there is nothing to share.
using StateShares = std::array<double, kThreadStateCount>;

// How a thread's time divides. No sample tells a thread on a CPU from one that waits for a CPU, so
// kRunnable is apportioned: what the scheduler counted over the whole recording is taken from
// kRunning and kNative, as far as they are more than the thread's CPU time.
StateShares StateSharesOf(const Profile& profile, const ProfiledThread& thread);
// The same of all threads' time, or those of one process.
StateShares StateSharesOf(const Profile& profile, std::optional<ProcessIndex> process = {});

// The share of all thread time that was spent in `state`, 0 to 1.
std::optional<double> StateFraction(const Profile& profile, ThreadState state);

// The share of the time in which the garbage collector worked, and in which all threads but one were
// stopped.
std::optional<double> GcFraction(const Profile& profile);
std::optional<double> StoppedFraction(const Profile& profile);

// The share of thread samples that were dropped because they did not hold together.
std::optional<double> TornFraction(const Profile& profile);

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROFILE_FIGURES_H_
