#include "profile/figures.h"

#include <gtest/gtest.h>

namespace fthreadprof {
namespace {

TEST(Figures, NothingMeasuredIsNothing) {
  const Profile profile;
  EXPECT_EQ(EffectiveCores(profile), std::nullopt);
  EXPECT_EQ(StateFraction(profile, ThreadState::kGilWait), std::nullopt);
  EXPECT_EQ(TornFraction(profile), std::nullopt);
}

TEST(Figures, StatesAreSharesOfAllThreadsTime) {
  Profile profile;
  const ThreadIndex first = profile.AddThread(1, "a");
  const ThreadIndex second = profile.AddThread(2, "b");
  const ThreadIndex tasks = profile.AddThread(1, "tasks of a");
  profile.thread(tasks).tasks = true;
  for (uint64_t pass = 0; pass < 4; ++pass) {
    const ThreadState state = pass == 0 ? ThreadState::kGilWait : ThreadState::kRunning;
    profile.AddSample({first, kEmptyStack, state, false, pass});
    profile.AddSample({second, kEmptyStack, ThreadState::kSleep, false, pass});
    profile.AddSample({tasks, kEmptyStack, ThreadState::kAwaiting, false, pass, 100});
  }
  EXPECT_EQ(StateFraction(profile, ThreadState::kGilWait), 0.125);
  EXPECT_EQ(StateFraction(profile, ThreadState::kSleep), 0.5);
  EXPECT_EQ(StateFraction(profile, ThreadState::kAwaiting), 0);
}

// A thread of 10 passes, 1 ms apart: `running` of them in Python, `native` in native code, the rest
// asleep.
Profile OneThread(uint64_t running, uint64_t native) {
  Profile profile;
  const ThreadIndex thread = profile.AddThread(1, "a");
  for (uint64_t pass = 0; pass < 10; ++pass) {
    const ThreadState state = pass < running            ? ThreadState::kRunning
                              : pass < running + native ? ThreadState::kNative
                                                        : ThreadState::kSleep;
    profile.AddSample({thread, kEmptyStack, state, false, pass});
  }
  profile.totals.parallelism_passes = {10};
  profile.sampling.duration_s = 0.01;
  return profile;
}

StateShares SharesOf(Profile profile, double cpu_s, double run_queue_s) {
  profile.thread(0).cpu_s = cpu_s;
  profile.thread(0).run_queue_s = run_queue_s;
  return StateSharesOf(profile, profile.threads()[0]);
}

double Of(const StateShares& shares, ThreadState state) {
  return shares[static_cast<size_t>(state)];
}

TEST(Figures, WaitsForACpuAreTakenFromWorkInProportion) {
  const StateShares shares = SharesOf(OneThread(6, 2), /*cpu_s=*/0.004, /*run_queue_s=*/0.004);
  EXPECT_DOUBLE_EQ(Of(shares, ThreadState::kRunnable), 0.4);
  EXPECT_DOUBLE_EQ(Of(shares, ThreadState::kRunning), 0.3);
  EXPECT_DOUBLE_EQ(Of(shares, ThreadState::kNative), 0.1);
  EXPECT_DOUBLE_EQ(Of(shares, ThreadState::kSleep), 0.2);
  Profile profile = OneThread(6, 2);
  profile.thread(0).cpu_s = profile.thread(0).run_queue_s = 0.004;
  EXPECT_DOUBLE_EQ(*StateFraction(profile, ThreadState::kRunnable), 0.4);
  EXPECT_DOUBLE_EQ(Of(StateSharesOf(profile, kRootProcess), ThreadState::kRunnable), 0.4);
  EXPECT_DOUBLE_EQ(Of(StateSharesOf(profile, ProcessIndex{1}), ThreadState::kRunnable), 0);
}

TEST(Figures, WaitsForACpuAreNoMoreThanWorkThatWasNotDone) {
  // Woken from a wait that samples show, it waited for a CPU; what it worked, it had one for.
  const StateShares shares = SharesOf(OneThread(6, 2), /*cpu_s=*/0.007, /*run_queue_s=*/0.004);
  EXPECT_NEAR(Of(shares, ThreadState::kRunnable), 0.1, 1e-9);
  EXPECT_DOUBLE_EQ(Of(SharesOf(OneThread(6, 2), 0.02, 0.004), ThreadState::kRunnable), 0);
  EXPECT_DOUBLE_EQ(Of(SharesOf(OneThread(0, 0), 0, 0.004), ThreadState::kRunnable), 0);
  EXPECT_DOUBLE_EQ(Of(SharesOf(OneThread(6, 2), 0, 1), ThreadState::kRunnable), 0.8);
}

TEST(Figures, NoShareIsNegativeWhateverARecordingSays) {
  const StateShares shares = SharesOf(OneThread(6, 2), /*cpu_s=*/-1, /*run_queue_s=*/-5);
  for (const double share : shares) EXPECT_GE(share, 0);
}

TEST(Figures, OfTheInterpreter) {
  Profile profile = OneThread(10, 0);
  EXPECT_EQ(GcFraction(profile), 0);
  profile.totals.gc_passes = 3;
  profile.totals.stopped_passes = 2;
  EXPECT_EQ(GcFraction(profile), 0.3);
  EXPECT_EQ(StoppedFraction(profile), 0.2);
  EXPECT_EQ(GcFraction(Profile()), std::nullopt);
}

TEST(Figures, CoresAreNoMoreThanTheCpusUsed) {
  Profile profile;
  profile.totals.parallelism_passes = {0, 1, 3};
  EXPECT_EQ(EffectiveCores(profile), 1.75);
  profile.sampling.duration_s = 2;
  profile.totals.cpu_s = 3;
  EXPECT_EQ(EffectiveCores(profile), 1.5);
}

TEST(Figures, TornIsOfAllThatWereTaken) {
  Profile profile;
  profile.sampling.torn = 1;
  profile.sampling.samples = 3;
  EXPECT_EQ(TornFraction(profile), 0.25);
}

}  // namespace
}  // namespace fthreadprof
