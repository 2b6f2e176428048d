#include "profile/lock_waits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profile/profile.h"

namespace fthreadprof {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Lock = LockWaits::Lock;

LoggedSample Waits(uint32_t lock, uint32_t thread, uint32_t stack, uint32_t holder = 0) {
  return {.thread = thread,
          .stack = stack,
          .state = ThreadState::kLockWait,
          .lock = lock,
          .holder = holder};
}

TEST(LockWaits, OfNothingIsEmpty) { EXPECT_THAT(LockWaits().Table(), IsEmpty()); }

TEST(LockWaits, SumsByLockAndByStack) {
  LockWaits waits;
  for (int i = 0; i < 3; ++i) waits.Add(Waits(/*lock=*/1, /*thread=*/0, /*stack=*/5));
  for (int i = 0; i < 4; ++i) waits.Add(Waits(2, 0, 5));
  waits.Add(Waits(2, 1, 6));
  waits.Add(Waits(2, 2, 6));
  EXPECT_THAT(waits.Table(),
              ElementsAre(Lock{.lock = 2, .samples = 6, .waiters = 3, .stacks = {{5, 0, 4}, {6, 0, 2}}},
                          Lock{.lock = 1, .samples = 3, .waiters = 1, .stacks = {{5, 0, 3}}}));
}

TEST(LockWaits, SumsByWhoHeldTheLock) {
  LockWaits waits;
  waits.Add(Waits(1, 0, 5));
  for (int i = 0; i < 2; ++i) waits.Add(Waits(1, 0, 5, /*holder=*/8));
  for (int i = 0; i < 3; ++i) waits.Add(Waits(1, 0, 5, /*holder=*/9));
  const std::vector<Lock> table = waits.Table();
  ASSERT_THAT(table, SizeIs(1));
  EXPECT_EQ(table[0].samples, 6u);
  EXPECT_THAT(table[0].stacks, ElementsAre(LockWaits::Stack{5, 9, 3}, LockWaits::Stack{5, 8, 2},
                                           LockWaits::Stack{5, 0, 1}));
}

TEST(LockWaits, ManyPairsAreCountedForTheirLock) {
  constexpr uint32_t kStacks = 300'000;
  LockWaits waits;
  for (uint32_t stack = 0; stack < kStacks; ++stack) waits.Add(Waits(1, stack, stack));
  const std::vector<Lock> table = waits.Table();
  ASSERT_THAT(table, SizeIs(1));
  EXPECT_EQ(table[0].samples, kStacks);
  EXPECT_LT(table[0].stacks.size(), kStacks);
}

TEST(Profile, KnowsALockByAllThatItIs) {
  Profile profile;
  const WaitedLock lock{.kind = LockKind::kObject, .type = "dict", .address = 0x1000};
  const LockId id = profile.InternLock(lock);
  EXPECT_EQ(id, 1u);
  EXPECT_EQ(profile.InternLock(lock), id);
  WaitedLock other = lock;
  other.type = "list";  // another object where it was
  EXPECT_NE(profile.InternLock(other), id);
  other = lock;
  other.process = 1;
  EXPECT_NE(profile.InternLock(other), id);
  EXPECT_EQ(profile.lock(id), lock);
  EXPECT_EQ(profile.lock_count(), 3u);
}

TEST(Profile, LocksBeyondABoundAreNone) {
  Profile profile;
  LockId id = 0;
  uint64_t made = 0;
  do {
    id = profile.InternLock({.address = ++made});
  } while (id != 0 && made < 1'000'000);
  EXPECT_EQ(id, 0u);
  EXPECT_EQ(profile.InternLock({.address = 1}), 1u) << "those that are known stay so";
}

}  // namespace
}  // namespace fthreadprof
