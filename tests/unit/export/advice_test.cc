#include "export/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/export/test_profile.h"

namespace fthreadprof {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr unsigned kFourCores = 4;

// 100 passes at 1 kHz of a process, with the GIL or without, and one thread for each list of
// states, which it goes through again and again.
Profile Of(bool free_threaded, const std::vector<std::vector<ThreadState>>& threads,
           double cores = 1) {
  Profile profile;
  profile.target() = {.pid = 100,
                      .python = "3.14.0",
                      .free_threaded = free_threaded,
                      .gil_enabled = !free_threaded};
  const StackId stack = StackOf(profile, {{"work", "/a.py", 1}});
  for (const auto& states : threads) {
    const ThreadIndex thread =
        profile.AddThread(100, "worker " + std::to_string(profile.threads().size()));
    for (uint64_t pass = 0; pass < 100; ++pass) {
      profile.AddSample({thread, stack, states[pass % states.size()], false, pass});
    }
  }
  profile.sampling.duration_s = 0.1;
  profile.totals.cpu_s = 0.1 * cores;
  profile.totals.parallelism_passes.resize(threads.size() + 1);
  profile.totals.parallelism_passes.back() = 100;
  return profile;
}

constexpr ThreadState kRunning = ThreadState::kRunning;
constexpr ThreadState kNative = ThreadState::kNative;
constexpr ThreadState kIo = ThreadState::kIo;

TEST(Advice, OfNothingIsNothing) { EXPECT_THAT(Advice(EmptyProfile(), kFourCores), IsEmpty()); }

TEST(Advice, AmdahlsLawBoundsWhatTheGilCosts) {
  Profile profile = Of(false, {{kRunning}, {ThreadState::kGilWait}});
  // Half of the time three threads want to run, half of the time one: 1 / (0.5 / 3 + 0.5) on 4
  // cores.
  profile.totals.wanting_passes = {0, 50, 0, 50};
  EXPECT_THAT(
      Advice(profile, kFourCores),
      HasSubstr("2.0 threads would work at a time instead of 1.0. In 50 % of the time no two "
                "want to, so on the 4 cores of this machine that is at most 1.5 times as "
                "fast (Amdahl's law)"));
  EXPECT_THAT(Advice(profile, 1), Not(HasSubstr("Without the GIL")))
      << "one core has no more to give";
  profile.totals.wanting_passes = {0, 100};
  EXPECT_THAT(Advice(profile, kFourCores), Not(HasSubstr("Without the GIL")));
  profile.AddProcess({.pid = 101, .python = "3.14.0"});
  profile.totals.wanting_passes = {0, 50, 0, 50};
  EXPECT_THAT(Advice(profile, kFourCores), Not(HasSubstr("Without the GIL")))
      << "several processes run several threads already";
}

TEST(Advice, LocksThatAreWaitedForAreInTheWay) {
  const std::vector<std::vector<ThreadState>> threads = {{kRunning}, {ThreadState::kLockWait}};
  EXPECT_THAT(Advice(Of(true, threads), kFourCores),
              HasSubstr("50 % of thread time waits for locks: more cores or threads add to the "
                        "waiting. Hold them shorter, or divide what they guard; the GIL would not, "
                        "separate processes would, for they share no such lock.\n"));
  EXPECT_THAT(Advice(Of(false, threads), kFourCores),
              HasSubstr("free threading alone does not help"));
}

TEST(Advice, OneThreadThatDoesAllMustBeDividedFirst) {
  EXPECT_THAT(Advice(Of(true, {{kRunning}, {ThreadState::kIdle}}), kFourCores),
              HasSubstr("One thread, worker 0, does 100 % of the work"));
  EXPECT_THAT(Advice(Of(true, {{kRunning}, {kRunning}}, 2), kFourCores),
              Not(HasSubstr("One thread")));
  EXPECT_THAT(Advice(Of(true, {{kRunning}, {ThreadState::kIdle}}, 0.1), kFourCores),
              Not(HasSubstr("One thread")))
      << "no core is busy";
}

TEST(Advice, NativeCodeWithoutTheGilNeedsNothing) {
  const std::string advice = Advice(Of(false, {{kNative, kNative, kRunning}}), kFourCores);
  EXPECT_THAT(advice, HasSubstr("67 % of the work is native code that has let go of the GIL"));
  EXPECT_THAT(Advice(Of(true, {{kNative}}), kFourCores), Not(HasSubstr("native code")));
}

TEST(Advice, CpusThatLackAreSaid) {
  Profile profile = Of(true, {{kRunning}, {kRunning}}, 1);
  for (ThreadIndex thread = 0; thread < 2; ++thread) {
    profile.thread(thread).cpu_s = 0.05;
    profile.thread(thread).run_queue_s = 0.05;
  }
  EXPECT_THAT(Advice(profile, 2), HasSubstr("50 % of thread time waits for a CPU"));
}

TEST(Advice, WaitingForTheWorldIsForAsyncio) {
  EXPECT_THAT(Advice(Of(false, {{kIo}, {kIo}}, 0), kFourCores), HasSubstr("or asyncio"));
  const std::string idle = Advice(Of(false, {{ThreadState::kIdle}}, 0), kFourCores);
  EXPECT_THAT(idle, HasSubstr("Code runs in 0 % of thread time"));
  EXPECT_THAT(idle, Not(HasSubstr("asyncio")));
}

TEST(Advice, FreeThreadingThatPaysIsSaid) {
  EXPECT_THAT(Advice(Of(true, {{kRunning}, {kRunning}}, 1.9), kFourCores),
              HasSubstr("Free threading pays here: 1.9 cores"));
  EXPECT_THAT(Advice(Of(false, {{kRunning}, {kRunning}}, 1.9), kFourCores), Not(HasSubstr("pays")));
}

TEST(Advice, NamesAreShownAsText) {
  Profile profile = Of(true, {{kRunning}, {ThreadState::kIdle}});
  profile.thread(0).name = "a\x1b[2J";
  EXPECT_THAT(Advice(profile, kFourCores), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace fthreadprof
