#include "detector.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace fthreadprof::race {
namespace {

// Detector is for static storage; zero pages of it are never touched.
std::unique_ptr<Detector> MakeDetector() {
  auto detector = std::make_unique<Detector>();
  EXPECT_TRUE(detector->Init([](void*, uint32_t) -> uint32_t { return 0; }));
  return detector;
}

bool Touch(Detector& detector, RaceThread& thread, uintptr_t object, uint64_t key, AccessKind kind,
           bool carries = false, Access* earlier = nullptr) {
  ShadowTable::Shard& shard = detector.shadows.ShardOf(object);
  SpinLockHolder holder(shard.lock);
  Shadow* shadow = shard.Find(object);
  if (shadow == nullptr) shadow = shard.Make(detector.arena, thread.blocks, object);
  Access ignored;
  bool races = false;
  shadow->With(detector.arena, thread.blocks, key, [&](Variable& variable) {
    races = detector.Check(thread, variable, {kind, 0, carries, true, 0, 0, 1},
                           earlier == nullptr ? &ignored : earlier);
  });
  return races;
}

constexpr uintptr_t kObject = 0x1000;
constexpr uint64_t kKey = 77;
constexpr uintptr_t kLock = 0x2000;

// A starter and the threads it starts.
class DetectorTest : public testing::Test {
 protected:
  RaceThread& Start(RaceThread& starter, uintptr_t handle) {
    detector_->StartThread(starter, handle, 0);
    return *detector_->BeginThread(handle, true);
  }
  bool Read(RaceThread& thread) {
    return Touch(*detector_, thread, kObject, kKey, AccessKind::kRead);
  }
  bool Write(RaceThread& thread) {
    return Touch(*detector_, thread, kObject, kKey, AccessKind::kWrite);
  }
  bool Commute(RaceThread& thread) {
    return Touch(*detector_, thread, kObject, kKey, AccessKind::kCommute);
  }

  std::unique_ptr<Detector> detector_ = MakeDetector();
  RaceThread& main_ = *detector_->AdoptThread();
  RaceThread& a_ = Start(main_, 0x100);
  RaceThread& b_ = Start(main_, 0x200);
};

TEST_F(DetectorTest, UnorderedWritesRace) {
  EXPECT_FALSE(Write(a_));
  EXPECT_TRUE(Write(b_));
}

TEST_F(DetectorTest, ReadsDoNotRace) {
  EXPECT_FALSE(Read(a_));
  EXPECT_FALSE(Read(b_));
  EXPECT_FALSE(Read(main_));
}

TEST_F(DetectorTest, WriteRacesWithAnyOfSeveralReads) {
  EXPECT_FALSE(Read(a_));
  EXPECT_FALSE(Read(b_));
  EXPECT_TRUE(Write(main_));
}

TEST_F(DetectorTest, StartOrders) {
  EXPECT_FALSE(Write(main_));
  RaceThread& c = Start(main_, 0x300);
  EXPECT_FALSE(Read(c));
  EXPECT_FALSE(Write(c));
}

TEST_F(DetectorTest, WhatTheStarterDoesAfterwardsIsNotOrdered) {
  EXPECT_FALSE(Write(main_));
  RaceThread& c = Start(main_, 0x300);
  EXPECT_FALSE(Write(main_));
  EXPECT_TRUE(Read(c));
}

TEST_F(DetectorTest, AccessesKnowTheTestThatTheirThreadRan) {
  const auto test_of = [&](const Access& access) {
    return detector_->registry.TestAt(access.slot, access.clock);
  };
  const auto touch = [&](RaceThread& thread, uint64_t key) {
    Access earlier = {};
    Touch(*detector_, thread, kObject, key, AccessKind::kWrite, false, &earlier);
    return earlier;
  };
  touch(main_, 101);
  detector_->SetTest(main_, 1);
  touch(main_, 102);
  RaceThread& c = Start(main_, 0x300);
  detector_->SetTest(main_, 2);
  touch(main_, 103);
  touch(c, 104);
  detector_->SetTest(main_, 0);
  touch(main_, 105);
  EXPECT_EQ(test_of(touch(a_, 101)), 0);
  EXPECT_EQ(test_of(touch(a_, 102)), 1);
  EXPECT_EQ(test_of(touch(a_, 103)), 2);
  EXPECT_EQ(test_of(touch(a_, 104)), 1) << "inherited when it was started";
  EXPECT_EQ(test_of(touch(a_, 105)), 0);
}

TEST_F(DetectorTest, AnotherThreadInTheSamePlaceHasItsOwnTest) {
  detector_->SetTest(main_, 1);
  detector_->EndThread(a_, 0x100);
  detector_->Acquire(main_, 0x100);
  RaceThread& c = Start(main_, 0x300);
  ASSERT_EQ(c.slot, a_.slot);
  EXPECT_EQ(detector_->registry.TestAt(c.slot, c.clock.at(c.slot)), 1);
  EXPECT_EQ(detector_->registry.TestAt(c.slot, 1), 0) << "of the one before it";
}

TEST_F(DetectorTest, JoinOrders) {
  EXPECT_FALSE(Write(a_));
  detector_->EndThread(a_, 0x100);
  detector_->Acquire(main_, 0x100);
  EXPECT_FALSE(Write(main_));
}

TEST_F(DetectorTest, LockOrders) {
  EXPECT_FALSE(Write(a_));
  detector_->Release(a_, kLock);
  detector_->Acquire(b_, kLock);
  EXPECT_FALSE(Write(b_));
  EXPECT_TRUE(Write(main_));
}

TEST_F(DetectorTest, CommutingWritesConflictWithReadsAndWritesOnly) {
  EXPECT_FALSE(Commute(a_));
  EXPECT_FALSE(Commute(b_));
  // Ordered after b's only: a's is still remembered.
  detector_->Release(b_, kLock);
  detector_->Acquire(main_, kLock);
  EXPECT_TRUE(Read(main_));
}

TEST_F(DetectorTest, RaceNamesTheEarlierAccess) {
  EXPECT_FALSE(Write(a_));
  Access earlier;
  EXPECT_TRUE(Touch(*detector_, b_, kObject, kKey, AccessKind::kRead, false, &earlier));
  EXPECT_EQ(detector_->registry.ThreadAt(earlier.slot, earlier.clock), a_.id);
  EXPECT_EQ(earlier.kind, AccessKind::kWrite);
}

TEST_F(DetectorTest, WhoGetsAnElementIsAfterWhoStoredIt) {
  EXPECT_FALSE(Touch(*detector_, a_, 0x3000, kKey, AccessKind::kWrite));
  EXPECT_FALSE(Touch(*detector_, a_, kObject, kKey, AccessKind::kWrite, true));
  detector_->Release(a_, kLock);
  EXPECT_TRUE(Touch(*detector_, b_, kObject, kKey, AccessKind::kRead, true));
  // The race on the element is reported; what came with the element is ordered.
  EXPECT_FALSE(Touch(*detector_, b_, 0x3000, kKey, AccessKind::kRead));
}

TEST_F(DetectorTest, OneMistakeIsOneReport) {
  EXPECT_FALSE(Touch(*detector_, a_, 0x3000, kKey, AccessKind::kWrite));
  EXPECT_FALSE(Write(a_));
  EXPECT_TRUE(Read(b_));
  EXPECT_FALSE(Touch(*detector_, b_, 0x3000, kKey, AccessKind::kRead));
  // But what a does from now on is not ordered by that.
  EXPECT_TRUE(a_.tick_requested.load());
  detector_->TickIfRequested(a_);
  EXPECT_FALSE(Touch(*detector_, a_, 0x4000, kKey, AccessKind::kWrite));
  EXPECT_TRUE(Touch(*detector_, b_, 0x4000, kKey, AccessKind::kRead));
}

TEST_F(DetectorTest, ChannelOrdersByItem) {
  EXPECT_FALSE(Write(a_));
  detector_->Put(a_, kLock, SyncAspect::kMain, 1, 100);
  EXPECT_FALSE(Touch(*detector_, a_, 0x3000, kKey, AccessKind::kWrite));
  detector_->Put(a_, kLock, SyncAspect::kMain, 2, 100);
  detector_->Take(b_, kLock, SyncAspect::kMain, 1, false);
  EXPECT_FALSE(Read(b_));
  EXPECT_TRUE(Touch(*detector_, b_, 0x3000, kKey, AccessKind::kRead));
}

TEST_F(DetectorTest, ItemsBeyondTheLimitAreOrderedBeforeEveryTaker) {
  EXPECT_FALSE(Write(a_));
  for (uintptr_t item = 1; item <= 10; ++item) {
    detector_->Put(a_, kLock, SyncAspect::kMain, item, 2);
  }
  detector_->Take(b_, kLock, SyncAspect::kMain, 10, false);
  EXPECT_FALSE(Read(b_));
}

TEST_F(DetectorTest, OwnChannelBeginsNoEpochUntilSomebodyElseComes) {
  const auto use = [&](RaceThread& thread, bool takes) {
    return detector_->UseOwn(thread, kLock, SyncAspect::kMain, takes);
  };
  for (uint32_t i = 0; i < Channel::kOwnTakes; ++i) {
    EXPECT_FALSE(use(a_, false));
    detector_->Put(a_, kLock, SyncAspect::kMain, 1, 100);
    EXPECT_EQ(use(a_, true), i + 1 == Channel::kOwnTakes);
    detector_->Take(a_, kLock, SyncAspect::kMain, 1, false);
  }
  const uint64_t epoch = a_.epoch;
  EXPECT_FALSE(Write(a_));
  EXPECT_TRUE(use(a_, false));
  EXPECT_EQ(a_.epoch, epoch);

  EXPECT_FALSE(use(b_, true));
  detector_->Take(b_, kLock, SyncAspect::kMain, 2, false);
  EXPECT_FALSE(Read(b_)) << "an item brings what was done before it was put there";
  EXPECT_TRUE(a_.tick_requested.load()) << "what a does next must be told apart";
  EXPECT_FALSE(use(a_, false));
}

TEST_F(DetectorTest, ChannelThatAnotherThreadLookedIntoIsNobodysOwn) {
  EXPECT_FALSE(detector_->UseOwn(b_, kLock, SyncAspect::kMain, false));
  for (uint32_t i = 0; i < 2 * Channel::kOwnTakes; ++i) {
    EXPECT_FALSE(detector_->UseOwn(a_, kLock, SyncAspect::kMain, true));
  }
}

TEST_F(DetectorTest, ChannelThatAnotherThreadPutsIntoIsNobodysOwn) {
  const auto take = [&] { return detector_->UseOwn(a_, kLock, SyncAspect::kMain, true); };
  for (uint32_t i = 0; i < Channel::kOwnTakes; ++i) take();
  EXPECT_TRUE(take());
  EXPECT_FALSE(Write(b_));
  detector_->Put(b_, kLock, SyncAspect::kMain, 1, 100);
  EXPECT_TRUE(a_.tick_requested.load()) << "what a does next must be told apart";
  EXPECT_FALSE(take());
  detector_->Take(a_, kLock, SyncAspect::kMain, 1, false);
  EXPECT_FALSE(Read(a_)) << "an item brings what was done before it was put there";
}

TEST_F(DetectorTest, ChannelThatAnotherThreadTakesFromIsNobodysOwn) {
  detector_->UseOwn(a_, kLock, SyncAspect::kMain, false);
  detector_->Take(b_, kLock, SyncAspect::kMain, 1, false);
  for (uint32_t i = 0; i < 2 * Channel::kOwnTakes; ++i) {
    EXPECT_FALSE(detector_->UseOwn(a_, kLock, SyncAspect::kMain, true));
  }
}

TEST_F(DetectorTest, AllElementsAreCheckedAgainWhenAnotherThreadHasWrittenOne) {
  ASSERT_FALSE(Write(a_));
  detector_->Release(a_, kLock);
  detector_->Acquire(b_, kLock);
  Shadow& shadow = *detector_->shadows.ShardOf(kObject).Find(kObject);
  const auto check_all = [&](RaceThread& thread) {
    Access earlier;
    return detector_->CheckElements(thread, shadow, {AccessKind::kRead, 0, false, false, 0, 0, 1},
                                    &earlier);
  };
  EXPECT_FALSE(check_all(b_));
  detector_->ElementWritten(b_, shadow);
  // b knows what it wrote itself, so it does not look: not even at this, which nobody tells it of.
  EXPECT_FALSE(Write(a_));
  EXPECT_FALSE(check_all(b_));
  EXPECT_TRUE(check_all(main_)) << "another thread has yet to look";
  detector_->ElementWritten(a_, shadow);
  EXPECT_TRUE(check_all(b_));
}

TEST_F(DetectorTest, HistoriesOfKeysThatAreGoneAreDroppedOnceTheyAreKnown) {
  constexpr uint64_t kKnown = 1000, kUnknown = 100;
  constexpr uintptr_t kValue = 0x3000;  // under one of the keys
  EXPECT_FALSE(Touch(*detector_, a_, kValue, kKey, AccessKind::kWrite));
  for (uint64_t key = 100; key < 100 + kKnown; ++key) {
    EXPECT_FALSE(Touch(*detector_, a_, kObject, key, AccessKind::kWrite));
  }
  EXPECT_FALSE(Touch(*detector_, a_, kObject, kStructureKey, AccessKind::kWrite));
  detector_->Release(a_, kLock);
  detector_->Acquire(b_, kLock);
  for (uint64_t key = 5000; key < 5000 + kUnknown; ++key) {
    EXPECT_FALSE(Touch(*detector_, a_, kObject, key, AccessKind::kRead));
  }
  Shadow& shadow = *detector_->shadows.ShardOf(kObject).Find(kObject);
  detector_->DropPast(b_, shadow, kKnown);
  EXPECT_EQ(shadow.keyed(), kKnown + kUnknown + 1) << "the container still has these keys";
  detector_->DropPast(b_, shadow, 10);
  EXPECT_EQ(shadow.keyed(), kUnknown + 1);
  detector_->LearnPast(main_, shadow);
  EXPECT_FALSE(Touch(*detector_, main_, kValue, kKey, AccessKind::kRead));
  EXPECT_TRUE(Touch(*detector_, b_, kObject, 5000, AccessKind::kWrite));
}

TEST_F(DetectorTest, ReadersOfADroppedKeyAreAfterItsWriterUntilItIsWrittenAgain) {
  constexpr uintptr_t kValue = 0x3000;  // under the key
  EXPECT_FALSE(Touch(*detector_, a_, kValue, kKey, AccessKind::kWrite));
  EXPECT_FALSE(Write(a_));
  Shadow& shadow = *detector_->shadows.ShardOf(kObject).Find(kObject);
  detector_->DropPast(a_, shadow, 0);
  ASSERT_EQ(shadow.keyed(), 0);
  EXPECT_FALSE(Read(b_));
  EXPECT_FALSE(Read(main_));
  detector_->LearnPast(main_, shadow, kKey);
  EXPECT_FALSE(Touch(*detector_, main_, kValue, kKey, AccessKind::kRead)) << "b has read it before";

  EXPECT_TRUE(Write(main_)) << "nothing orders it with b's read";
  detector_->LearnPast(b_, shadow, kKey);
  EXPECT_TRUE(Touch(*detector_, b_, kValue, kKey, AccessKind::kRead));
}

TEST_F(DetectorTest, AdoptedThreadIsAfterAllThatWasDone) {
  EXPECT_FALSE(Write(a_));
  RaceThread& foreign = *detector_->AdoptThread();
  EXPECT_FALSE(Write(foreign));
  detector_->TickIfRequested(a_);
  EXPECT_FALSE(Touch(*detector_, a_, 0x3000, kKey, AccessKind::kWrite));
  EXPECT_TRUE(Touch(*detector_, foreign, 0x3000, kKey, AccessKind::kRead));
}

TEST_F(DetectorTest, SlotsAreUsedAgainOnlyWhenTheEndIsKnown) {
  EXPECT_FALSE(Write(a_));
  detector_->EndThread(a_, 0x100);
  // Nobody joined a: its successor is another thread in every respect.
  RaceThread& c = Start(main_, 0x300);
  EXPECT_TRUE(Write(c));
  detector_->EndThread(c, 0x300);
  detector_->Acquire(main_, 0x300);
  const uint32_t slots = detector_->registry.slot_count();
  for (uintptr_t handle = 0x1000000; handle < 0x1000000 + 100'000; ++handle) {
    RaceThread& thread = Start(main_, handle);
    detector_->EndThread(thread, handle);
    detector_->Acquire(main_, handle);
    detector_->sync.Remove(detector_->arena, main_.blocks, handle);
  }
  EXPECT_LE(detector_->registry.slot_count(), slots + 1);
  EXPECT_EQ(detector_->registry.thread_count(), 100'004u);
}

TEST_F(DetectorTest, MoreThreadsThanSlotsInventNoOrder) {
  std::vector<RaceThread*> threads;
  for (uintptr_t handle = 0x1000; handle < 0x1000 + 2 * kMaxSlots; ++handle) {
    detector_->StartThread(main_, handle, 0);
    if (RaceThread* thread = detector_->BeginThread(handle, true)) threads.push_back(thread);
  }
  EXPECT_EQ(threads.size(), kMaxSlots - 3);  // main, a and b have theirs; the others go untracked
  EXPECT_FALSE(Write(*threads.front()));
  EXPECT_TRUE(Write(*threads.back()));
}

TEST_F(DetectorTest, ForkedChildIsAfterAllThreads) {
  EXPECT_FALSE(Write(a_));
  detector_->AcquireAllLocks();
  detector_->ReleaseAllLocks();
  detector_->AfterForkInChild(main_);
  EXPECT_FALSE(Write(main_));
}

// The naive model: every access with a copy of its thread's clock, forever.
class NaiveModel {
 public:
  using Clock = std::map<int, int>;

  void AddThread(int thread, const Clock& known) {
    clocks_[thread] = known;
    clocks_[thread][thread] = 1;
  }
  Clock Release(int thread) {
    Clock now = clocks_[thread];
    ++clocks_[thread][thread];
    return now;
  }
  void Acquire(int thread, const Clock& other) { Join(clocks_[thread], other); }
  static void Join(Clock& clock, const Clock& other) {
    for (const auto& [thread, time] : other) clock[thread] = std::max(clock[thread], time);
  }
  bool Touch(int thread, int variable, AccessKind kind) {
    bool race = false;
    for (const auto& [other, time, other_kind] : accesses_[variable]) {
      const bool conflict = (kind != AccessKind::kRead || other_kind != AccessKind::kRead) &&
                            (kind != AccessKind::kCommute || other_kind != AccessKind::kCommute);
      if (conflict && clocks_[thread][other] < time) race = true;
    }
    accesses_[variable].push_back({thread, clocks_[thread][thread], kind});
    return race;
  }

 private:
  struct Event {
    int thread;
    int time;
    AccessKind kind;
  };
  std::map<int, Clock> clocks_;
  std::map<int, std::vector<Event>> accesses_;
};

// Same operations on both, until the first race: it must be the same access.
void CompareOnRandomHistory(uint32_t seed) {
  std::mt19937 random(seed);
  const auto choose = [&random](int n) { return static_cast<int>(random() % n); };
  const int variables = 1 + choose(4);
  const int locks = 1 + choose(3);
  const int discipline =
      choose(101);  // per cent of accesses that are made with the right lock held
  auto detector = MakeDetector();
  NaiveModel model;
  std::map<int, RaceThread*> threads;
  std::map<int, NaiveModel::Clock> lock_clocks;
  std::map<int, NaiveModel::Clock> handle_clocks;
  std::vector<int> live = {0};
  std::vector<int> ended;
  threads[0] = detector->AdoptThread();
  model.AddThread(0, {});
  int next_thread = 1;
  for (int step = 0; step < 300; ++step) {
    const int thread = live[choose(static_cast<int>(live.size()))];
    RaceThread& race_thread = *threads[thread];
    const int action = choose(100);
    if (action < 8 && live.size() < 6) {
      const int started = next_thread++;
      detector->StartThread(race_thread, 0x10000 + started, 0);
      threads[started] = detector->BeginThread(0x10000 + started, true);
      model.AddThread(started, model.Release(thread));
      live.push_back(started);
    } else if (action < 12 && live.size() > 1 && thread != 0) {
      handle_clocks[thread] = model.Release(thread);
      detector->EndThread(race_thread, 0x10000 + thread);
      std::erase(live, thread);
      ended.push_back(thread);
    } else if (action < 16 && !ended.empty()) {
      const int joined = ended[choose(static_cast<int>(ended.size()))];
      detector->Acquire(race_thread, 0x10000 + joined);
      model.Acquire(thread, handle_clocks[joined]);
    } else {
      const int variable = choose(variables);
      const bool locked = choose(100) < discipline;
      const int lock = locked ? variable % locks : choose(locks);
      const bool uses_lock = locked || choose(3) == 0;
      if (uses_lock) {
        detector->Acquire(race_thread, 0x20000 + lock);
        model.Acquire(thread, lock_clocks[lock]);
      }
      constexpr std::array kKinds = {AccessKind::kRead, AccessKind::kRead, AccessKind::kCommute,
                                     AccessKind::kWrite};
      const AccessKind kind = kKinds[choose(4)];
      const bool expected = model.Touch(thread, variable, kind);
      const bool found = Touch(*detector, race_thread, 0x30000, 100 + variable, kind);
      ASSERT_EQ(found, expected) << "seed " << seed << ", step " << step;
      if (found) return;
      if (uses_lock) {
        detector->Release(race_thread, 0x20000 + lock);
        NaiveModel::Join(lock_clocks[lock], model.Release(thread));
      }
    }
  }
}

TEST(DetectorModelTest, AgreesWithTheNaiveModelUpToTheFirstRace) {
  for (uint32_t seed = 1; seed <= 300; ++seed) {
    CompareOnRandomHistory(seed);
    if (HasFatalFailure()) return;
  }
}

// For ThreadSanitizer: everything at once from real threads.
TEST(DetectorStressTest, ThreadsAtOnce) {
  auto detector = MakeDetector();
  RaceThread* main_thread = detector->AdoptThread();
  constexpr uintptr_t kThreads = 4;
  for (uintptr_t i = 0; i < kThreads; ++i) detector->StartThread(*main_thread, 0x10000 + i, 0);
  std::vector<std::thread> threads;
  for (uintptr_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&detector, i] {
      RaceThread& self = *detector->BeginThread(0x10000 + i, true);
      std::mt19937 random(static_cast<uint32_t>(i));
      for (int step = 0; step < 3000; ++step) {
        const uintptr_t object = 0x40000 + 16 * (random() % 8);
        const uint64_t key = random() % 2 == 0 ? IndexKey(random() % 50) : 100 + random() % 20;
        const uintptr_t lock = 0x50000 + 16 * (random() % 4);
        detector->TickIfRequested(self);
        detector->Acquire(self, lock);
        Touch(*detector, self, object, key,
              random() % 2 == 0 ? AccessKind::kRead : AccessKind::kWrite, random() % 2 == 0);
        self.held.Push({lock, self.id, 1});
        detector->lock_sets.Intern(detector->arena, self.blocks, self.held);
        self.held.Pop(lock);
        detector->contexts.Intern(detector->arena, self.blocks, self.contexts, 1, random() % 100,
                                  &detector);
        detector->Release(self, lock);
        detector->Put(self, 0x60000, SyncAspect::kMain, random() % 10, 50);
        detector->Take(self, 0x60000, SyncAspect::kMain, random() % 10, false);
        if (step % 100 == 0) {
          ShadowTable::Shard& shard = detector->shadows.ShardOf(object);
          SpinLockHolder holder(shard.lock);
          if (Shadow* shadow = shard.Remove(object)) {
            shadow->Clear(detector->arena, self.blocks);
            detector->arena.Free(self.blocks, shadow, sizeof(Shadow));
          }
        }
      }
      detector->EndThread(self, 0x10000 + i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (uintptr_t i = 0; i < kThreads; ++i) detector->Acquire(*main_thread, 0x10000 + i);
  EXPECT_FALSE(Touch(*detector, *main_thread, 0x40000, 100, AccessKind::kWrite));
}

}  // namespace
}  // namespace fthreadprof::race
