#include "profile/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>

namespace fthreadprof {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(Profile, CountsSamplesByTheirWeight) {
  Profile profile;
  const StackId stack = profile.InternStack(kEmptyStack, profile.InternFrame({"f", "a.py", 1}));
  const ThreadIndex tasks = profile.AddThread(1, "tasks of MainThread");
  profile.AddSample({tasks, stack, ThreadState::kAwaiting, false, 0, 3});
  profile.AddSample({tasks, stack, ThreadState::kAwaiting, false, 1, 40});
  EXPECT_EQ(profile.threads()[tasks].samples, 43u);
  EXPECT_THAT(profile.SelectedStacks(tasks),
              ElementsAre(Pair(SelectedStack{stack, ThreadState::kAwaiting}, 43u)));
  EXPECT_EQ(profile.selected_stack_count(), 1u);
  EXPECT_EQ(profile.log().size(), 2u);
}

TEST(Profile, ShowsOnlyTheChosenStates) {
  Profile profile;
  profile.sampling.mode = SamplingMode::kWall;
  profile.sampling.states = ThreadStates().set(static_cast<size_t>(ThreadState::kGilWait));
  const StackId stack = profile.InternStack(kEmptyStack, profile.InternFrame({"f", "a.py", 1}));
  const ThreadIndex thread = profile.AddThread(1, "worker");
  profile.AddSample({thread, stack, ThreadState::kRunning, false, 0});
  profile.AddSample({thread, stack, ThreadState::kGilWait, false, 1});
  EXPECT_EQ(profile.threads()[thread].samples, 2u);
  EXPECT_THAT(profile.SelectedStacks(thread),
              ElementsAre(Pair(SelectedStack{stack, ThreadState::kGilWait}, 1u)));
  EXPECT_EQ(profile.log().size(), 1u);
}

class ProfileOfThreeThreads : public testing::Test {
 protected:
  ProfileOfThreeThreads() {
    const StackId stack = profile_.InternStack(kEmptyStack, profile_.InternFrame({"f", "a.py", 1}));
    for (const char* name : {"Thread-1", "worker-1", "worker-2"}) {
      const ThreadIndex thread = profile_.AddThread(1, name);
      for (uint64_t i = 0; i < 3; ++i) {
        profile_.AddSample({thread, stack, ThreadState::kRunning, false, i});
      }
    }
    profile_.thread(0).name = "MainThread";  // as when the name is found later
  }
  // Which threads the log has samples of, and how many.
  std::map<ThreadIndex, int> Logged() const {
    std::map<ThreadIndex, int> count;
    profile_.log().ForEach([&](const LoggedSample& sample) { ++count[sample.thread]; });
    return count;
  }
  Profile profile_;
};

TEST_F(ProfileOfThreeThreads, ShowsAllUnlessThreadsAreChosen) {
  EXPECT_TRUE(profile_.SelectThreads().ok());
  EXPECT_THAT(Logged(), ElementsAre(Pair(0, 3), Pair(1, 3), Pair(2, 3)));
}

TEST_F(ProfileOfThreeThreads, ShowsOnlyTheChosenThreads) {
  profile_.sampling.threads = {"MainThread", "*-2"};
  EXPECT_TRUE(profile_.SelectThreads().ok());
  EXPECT_THAT(Logged(), ElementsAre(Pair(0, 3), Pair(2, 3)));
  EXPECT_THAT(profile_.SelectedStacks(1), IsEmpty());
  EXPECT_EQ(profile_.SelectedSamples(2), 3u);
  EXPECT_EQ(profile_.selected_stack_count(), 2u);
  EXPECT_EQ(profile_.threads()[1].samples, 3u) << "the ledger counts all";
}

TEST_F(ProfileOfThreeThreads, AThreadThatIsNotThereIsSaid) {
  profile_.sampling.threads = {"worker"};
  const absl::Status status = profile_.SelectThreads();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(status.message(),
            "no thread is called 'worker'; there were MainThread, worker-1, worker-2");
}

TEST(Profile, StartsEmpty) {
  const Profile profile;
  EXPECT_EQ(profile.frame_count(), 0u);
  EXPECT_EQ(profile.stack_count(), 1u);  // the empty stack
  EXPECT_THAT(profile.FramesOf(kEmptyStack), IsEmpty());
  EXPECT_THAT(profile.threads(), IsEmpty());
  EXPECT_EQ(profile.log().size(), 0u);
}

TEST(Profile, InternsEqualFramesOnce) {
  Profile profile;
  const FrameId first = profile.InternFrame({"f", "a.py", 1});
  EXPECT_EQ(profile.InternFrame({"f", "a.py", 1}), first);
  std::set<FrameId> ids = {first, profile.InternFrame({"f", "a.py", 2}),
                           profile.InternFrame({"f", "b.py", 1}),
                           profile.InternFrame({"g", "a.py", 1})};
  EXPECT_EQ(ids, (std::set<FrameId>{0, 1, 2, 3}));
  EXPECT_EQ(profile.frame(first), (Frame{"f", "a.py", 1}));
}

TEST(Profile, TellsStacksApartByCallerAndFrame) {
  Profile profile;
  const FrameId f = profile.InternFrame({"f", "a.py", 1});
  const FrameId g = profile.InternFrame({"g", "a.py", 2});
  const StackId in_f = profile.InternStack(kEmptyStack, f);
  const StackId f_calls_g = profile.InternStack(in_f, g);
  const StackId f_calls_f = profile.InternStack(in_f, f);
  const StackId in_g = profile.InternStack(kEmptyStack, g);
  EXPECT_EQ(profile.InternStack(in_f, g), f_calls_g);
  EXPECT_EQ((std::set<StackId>{in_f, f_calls_g, f_calls_f, in_g}).size(), 4u);
  EXPECT_THAT(profile.FramesOf(f_calls_g), ElementsAre(f, g));
  EXPECT_THAT(profile.FramesOf(f_calls_f), ElementsAre(f, f));
  EXPECT_EQ(profile.Caller(f_calls_g), in_f);
  EXPECT_EQ(profile.Caller(in_g), kEmptyStack);
  EXPECT_EQ(profile.InnermostFrame(f_calls_g), g);
}

TEST(Profile, DeepStacksNeedNoRecursion) {
  Profile profile;
  const FrameId f = profile.InternFrame({"f", "a.py", 1});
  StackId stack = kEmptyStack;
  for (int depth = 0; depth < 200'000; ++depth) stack = profile.InternStack(stack, f);
  EXPECT_EQ(profile.FramesOf(stack).size(), 200'000u);
}

TEST(Profile, LedgerCountsAllSamplesStacksOnlySelectedOnes) {
  Profile profile;
  const StackId stack = profile.InternStack(kEmptyStack, profile.InternFrame({"f", "a.py", 1}));
  const ThreadIndex main = profile.AddThread(10, "MainThread");
  const ThreadIndex worker = profile.AddThread(11, "worker");
  profile.AddSample({main, stack, ThreadState::kRunning, false, 0});
  profile.AddSample({worker, stack, ThreadState::kSleep, false, 0});
  profile.AddSample({main, stack, ThreadState::kRunning, false, 1});
  profile.AddSample({main, kEmptyStack, ThreadState::kOther, false, 2});

  EXPECT_EQ(profile.threads()[main].samples, 3u);
  EXPECT_EQ(profile.threads()[main].state_samples[size_t(ThreadState::kRunning)], 2u);
  EXPECT_EQ(profile.threads()[main].state_samples[size_t(ThreadState::kOther)], 1u);
  EXPECT_EQ(profile.threads()[worker].samples, 1u);
  EXPECT_EQ(profile.threads()[worker].state_samples[size_t(ThreadState::kSleep)], 1u);
  EXPECT_THAT(profile.SelectedStacks(main),
              ElementsAre(Pair(SelectedStack{kEmptyStack, ThreadState::kOther}, 1),
                          Pair(SelectedStack{stack, ThreadState::kRunning}, 2)));
  EXPECT_THAT(profile.SelectedStacks(worker), IsEmpty());
  EXPECT_EQ(profile.log().size(), 3u);
}

TEST(Profile, KeepsIdsWhenMoved) {
  Profile profile;
  const StackId stack = profile.InternStack(kEmptyStack, profile.InternFrame({"f", "a.py", 1}));
  profile.AddSample({profile.AddThread(1, "t"), stack, ThreadState::kRunning, false, 0});
  const Profile moved = std::move(profile);
  EXPECT_EQ(moved.frame(moved.InnermostFrame(stack)).function, "f");
  EXPECT_THAT(moved.SelectedStacks(0),
              ElementsAre(Pair(SelectedStack{stack, ThreadState::kRunning}, 1)));
}

TEST(Profile, KeepsTheStatesOfAStackApart) {
  Profile profile;
  const StackId stack = profile.InternStack(kEmptyStack, profile.InternFrame({"f", "a.py", 1}));
  const ThreadIndex thread = profile.AddThread(1, "worker");
  for (const ThreadState state : {ThreadState::kLockWait, ThreadState::kRunning,
                                  ThreadState::kLockWait, ThreadState::kSleep}) {
    profile.AddSample({thread, stack, state, false, 0});
  }
  EXPECT_THAT(profile.SelectedStacks(thread),
              ElementsAre(Pair(SelectedStack{stack, ThreadState::kRunning}, 1u),
                          Pair(SelectedStack{stack, ThreadState::kLockWait}, 2u)));
  EXPECT_EQ(profile.selected_stack_count(), 2u);
  EXPECT_EQ(profile.SelectedSamples(thread), 3u);
}

TEST(ThreadState, NamesAreDistinct) {
  std::set<std::string> names;
  for (size_t i = 0; i < kThreadStateCount; ++i) {
    names.insert(ThreadStateName(static_cast<ThreadState>(i)));
  }
  EXPECT_EQ(names, (std::set<std::string>{"running", "native", "runnable", "gil_wait", "lock_wait",
                                          "native_lock", "stopped", "idle", "io", "sleep", "other",
                                          "awaiting"}));
}

}  // namespace
}  // namespace fthreadprof
