#include "export/collapsed.h"

#include <gtest/gtest.h>

#include <string>

#include "unit/export/test_profile.h"

namespace fthreadprof {
namespace {

TEST(Collapsed, OneLineAStackInTheOrderOfFrames) {
  EXPECT_EQ(Written(WriteCollapsed, SmallProfile()),
            "<module> (/app.py:1);loads (/usr/lib/python3.13/json/__init__.py:346) 1\n"
            "<module> (/app.py:1);work (/app.py:7) 3\n"
            "größe,␊␁\uFFFD (/ö/<&>.py) 2\n");
}

TEST(Collapsed, ThreadsAreRootFrames) {
  EXPECT_EQ(Written(WriteCollapsed, SmallProfile(), {.threads = true}),
            "thread <worker>,1 (101);größe,␊␁\uFFFD (/ö/<&>.py) 2\n"
            "thread MainThread (100);<module> (/app.py:1);"
            "loads (/usr/lib/python3.13/json/__init__.py:346) 1\n"
            "thread MainThread (100);<module> (/app.py:1);work (/app.py:7) 3\n");
}

TEST(Collapsed, WithoutLinesEqualFunctionsMerge) {
  Profile profile;
  const ThreadIndex thread = profile.AddThread(1, "t");
  for (const int line : {3, 4, 0}) {
    const StackId stack = StackOf(profile, {{"f", "/a.py", line}, {"g", "/a.py", 9}});
    profile.AddSample({thread, stack, ThreadState::kRunning, false, 0});
  }
  EXPECT_EQ(Written(WriteCollapsed, profile, {.function_only = true}), "f (/a.py);g (/a.py) 3\n");
  EXPECT_EQ(Written(WriteCollapsed, profile),
            "f (/a.py);g (/a.py:9) 1\nf (/a.py:3);g (/a.py:9) 1\nf (/a.py:4);g (/a.py:9) 1\n");
}

TEST(Collapsed, StackThatIsACallerOfOthersHasItsOwnLine) {
  Profile profile;
  const ThreadIndex thread = profile.AddThread(1, "t");
  const StackId outer = StackOf(profile, {{"f", "/a.py", 1}});
  const StackId inner = StackOf(profile, {{"f", "/a.py", 1}, {"g", "/a.py", 2}});
  for (const StackId stack : {inner, outer, inner, kEmptyStack}) {
    profile.AddSample({thread, stack, ThreadState::kRunning, false, 0});
  }
  EXPECT_EQ(Written(WriteCollapsed, profile),
            "(no Python frames) 1\nf (/a.py:1) 1\nf (/a.py:1);g (/a.py:2) 2\n");
}

TEST(Collapsed, ByStateEachStackEndsInItsStates) {
  Profile profile;
  profile.sampling.mode = SamplingMode::kWall;
  const ThreadIndex thread = profile.AddThread(1, "t");
  const StackId outer = StackOf(profile, {{"f", "/a.py", 1}});
  const StackId inner = StackOf(profile, {{"f", "/a.py", 1}, {"g", "/a.py", 2}});
  profile.AddSample({thread, inner, ThreadState::kRunning, false, 0});
  profile.AddSample({thread, outer, ThreadState::kGilWait, false, 1});
  profile.AddSample({thread, inner, ThreadState::kLockWait, false, 2});
  profile.AddSample({thread, kEmptyStack, ThreadState::kIdle, false, 3});
  profile.AddSample({thread, inner, ThreadState::kRunning, false, 4});
  EXPECT_EQ(Written(WriteCollapsed, profile, {.by_state = true}),
            "(no Python frames);[idle] 1\n"
            "f (/a.py:1);[gil_wait] 1\n"
            "f (/a.py:1);g (/a.py:2);[lock_wait] 1\n"
            "f (/a.py:1);g (/a.py:2);[running] 2\n");
}

TEST(Collapsed, EmptyProfileIsAnEmptyFile) {
  EXPECT_EQ(Written(WriteCollapsed, EmptyProfile()), "");
}

}  // namespace
}  // namespace fthreadprof
