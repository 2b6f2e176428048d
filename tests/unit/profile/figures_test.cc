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
