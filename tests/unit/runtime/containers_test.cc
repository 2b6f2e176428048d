// The runtime's own containers: arena, access sets, shadows, channels, lock sets, contexts.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "access_set.h"
#include "arena.h"
#include "calling_contexts.h"
#include "lock_sets.h"
#include "shadow.h"
#include "sync_table.h"
#include "vector_clock.h"

namespace fthreadprof::race {
namespace {

TEST(ArenaTest, ClassesCoverEverySize) {
  for (size_t size = 1; size <= kLargestBlock; ++size) {
    const int block_class = BlockClass(size);
    ASSERT_LT(block_class, kBlockClasses) << size;
    ASSERT_GE(BlockClassSize(block_class), size);
    if (block_class > 0) {
      ASSERT_LT(BlockClassSize(block_class - 1), size);
    }
  }
}

TEST(ArenaTest, BlocksDoNotOverlap) {
  Arena arena;
  BlockCache cache = {};
  std::mt19937 random(1);
  std::map<char*, size_t> blocks;
  for (int i = 0; i < 20'000; ++i) {
    if (!blocks.empty() && random() % 3 == 0) {
      auto it = blocks.begin();
      std::advance(it, random() % std::min<size_t>(blocks.size(), 20));
      for (size_t j = 0; j < it->second; ++j) {
        ASSERT_EQ(it->first[j], static_cast<char>(it->second)) << "someone else wrote here";
      }
      arena.Free(cache, it->first, it->second);
      blocks.erase(it);
    } else {
      const size_t size = 1 + random() % 700;
      auto* block = static_cast<char*>(arena.Allocate(cache, size));
      ASSERT_NE(block, nullptr);
      memset(block, static_cast<char>(size), size);
      blocks[block] = size;
    }
  }
}

TEST(ArenaTest, StopsAtItsLimit) {
  Arena arena;
  arena.set_limit(1 << 20);
  BlockCache cache = {};
  int given = 0;
  while (arena.Allocate(cache, 1024) != nullptr) ++given;
  EXPECT_GT(given, 500);
  EXPECT_LE(given, 1024);
  EXPECT_EQ(arena.Allocate(cache, size_t{2} << 20), nullptr);
  EXPECT_LE(arena.mapped(), uint64_t{1} << 20);
}

TEST(AccessSetTest, KeepsOneOfEachUnorderedThread) {
  Arena arena;
  BlockCache cache = {};
  auto clock = std::make_unique<VectorClock>();
  AccessSet set;
  EXPECT_TRUE(set.empty());
  for (uint16_t slot = 0; slot < 40; ++slot) {
    set.Add(arena, cache, *clock, {1, slot, 0, AccessKind::kRead, slot, 0, 0});
  }
  for (uint16_t slot = 0; slot < 40; ++slot) {
    const Access* found =
        set.FindUnordered(*clock, [slot](const Access& access) { return access.slot == slot; });
    ASSERT_NE(found, nullptr) << slot;
    EXPECT_EQ(found->node, slot);
  }
  // One that is after all of them stands for them.
  for (uint32_t slot = 0; slot < 40; ++slot) clock->Set(slot, 1);
  set.Add(arena, cache, *clock, {2, 7, 0, AccessKind::kRead, 99, 0, 0});
  EXPECT_EQ(set.FindUnordered(*clock, [](const Access& access) { return access.slot != 7; }),
            nullptr);
  EXPECT_NE(set.FindUnordered(*clock, [](const Access& access) { return access.node == 99; }),
            nullptr);
  set.Clear(arena, cache);
  EXPECT_TRUE(set.empty());
}

TEST(ShadowTest, FindsEveryVariableAgain) {
  Arena arena;
  BlockCache cache = {};
  Shadow shadow(0x1000);
  std::vector<uint64_t> keys = {kStructureKey, kOrderKey};
  for (uint64_t i = 0; i < 300; ++i) keys.push_back(IndexKey(i * i));
  for (int64_t hash = -150; hash < 150; ++hash) keys.push_back(HashKey(hash));
  for (size_t i = 0; i < keys.size(); ++i) {
    ASSERT_TRUE(shadow.With(arena, cache, keys[i], [&](Variable& variable) {
      EXPECT_TRUE(variable.writes.empty()) << "key " << i << " is another's";
      variable.writes.Set(arena, cache,
                          {1, 0, 0, AccessKind::kWrite, static_cast<uint32_t>(i + 1), 0, 0});
    }));
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    ASSERT_TRUE(shadow.With(arena, cache, keys[i], [&](Variable& variable) {
      EXPECT_EQ(variable.key, keys[i]);
      variable.writes.ForEach([&](const Access& access) { EXPECT_EQ(access.node, i + 1); });
      EXPECT_FALSE(variable.writes.empty());
    }));
  }
  EXPECT_EQ(shadow.FindExisting(HashKey(12345)), nullptr);
  shadow.Clear(arena, cache);
}

TEST(ShadowTest, DropsWhatItIsTold) {
  Arena arena;
  BlockCache cache = {};
  Shadow shadow(0x1000);
  const auto touch = [&](int64_t hash) {
    return shadow.With(arena, cache, HashKey(hash),
                       [](Variable& variable) { variable.published |= 1; });
  };
  for (int64_t hash = 0; hash < 300; ++hash) ASSERT_TRUE(touch(hash));
  shadow.DropKeyed(arena, cache, [](const Variable& variable) {
    for (int64_t hash = 0; hash < 300; hash += 100) {
      if (variable.key == HashKey(hash)) return false;
    }
    return true;
  });
  EXPECT_EQ(shadow.keyed(), 3u);
  for (int64_t hash = 0; hash < 300; ++hash) {
    EXPECT_EQ(shadow.FindExisting(HashKey(hash)) != nullptr, hash % 100 == 0) << hash;
  }
  for (int64_t hash = 0; hash < 300; ++hash) ASSERT_TRUE(touch(hash));
  EXPECT_EQ(shadow.keyed(), 300u);
  shadow.Clear(arena, cache);
}

// Elements with writes or reads are compact; one with both makes its chunk hold whole variables.
TEST(ElementChunksTest, KeepWhatElementsThatBecomeLargerHave) {
  Arena arena;
  BlockCache cache = {};
  ElementChunks elements;
  auto clock = std::make_unique<VectorClock>();
  clock->Set(3, 5);
  Snapshot* snapshot = clock->Take(arena, cache);
  constexpr uint64_t kCount = 1000;
  const auto access = [](AccessKind kind, uint64_t i) {
    return Access{1, 0, 0, kind, static_cast<uint32_t>(i + 1), 0, 0};
  };
  for (uint64_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(elements.With(arena, cache, i, [&](Variable& variable) {
      if (i % 2 == 0) {
        variable.writes.Set(arena, cache, access(AccessKind::kWrite, i));
        variable.set_snapshot(Share(snapshot));
      } else {
        variable.reads.Set(arena, cache, access(AccessKind::kRead, i));
      }
      if (i % 3 == 0) variable.set_raced();
    }));
  }
  for (uint64_t i = 600; i < kCount; i += 20) {  // of the last chunk, and the one before it none
    ASSERT_TRUE(elements.With(arena, cache, i, [&](Variable& variable) {
      variable.reads.Set(arena, cache, access(AccessKind::kRead, i));
    }));
  }
  const auto count_if_right = [&](uint64_t i, const AccessSet& set, bool expected) {
    EXPECT_EQ(set.empty(), !expected) << i;
    set.ForEach([&](const Access& found) { EXPECT_EQ(found.node, i + 1); });
  };
  uint64_t found = 0;
  elements.ForEach([&](Variable& variable) {
    const uint64_t i = variable.key & ~kIndexBit;
    ++found;
    count_if_right(i, variable.writes, i % 2 == 0);
    count_if_right(i, variable.reads, i % 2 == 1 || (i >= 600 && i % 20 == 0));
    EXPECT_EQ(variable.snapshot(), i % 2 == 0 ? snapshot : nullptr) << i;
    EXPECT_EQ(variable.raced(), i % 3 == 0) << i;
  });
  EXPECT_EQ(found, kCount);
  elements.Clear(arena, cache);
  EXPECT_EQ(snapshot->references.load(), 1u) << "each element has given its reference back";
  Drop(arena, cache, snapshot);
}

TEST(ShadowTableTest, FindsAndRemoves) {
  Arena arena;
  BlockCache cache = {};
  auto table = std::make_unique<ShadowTable>();
  constexpr uintptr_t kCount = 50'000;
  for (uintptr_t i = 1; i <= kCount; ++i) {
    ShadowTable::Shard& shard = table->ShardOf(i * 64);
    ASSERT_EQ(shard.Find(i * 64), nullptr);
    ASSERT_NE(shard.Make(arena, cache, i * 64), nullptr);
  }
  EXPECT_EQ(table->count(), kCount);
  for (uintptr_t i = 1; i <= kCount; ++i) {
    ShadowTable::Shard& shard = table->ShardOf(i * 64);
    Shadow* shadow = shard.Remove(i * 64);
    ASSERT_NE(shadow, nullptr);
    EXPECT_EQ(shadow->address(), i * 64);
    EXPECT_EQ(shard.Find(i * 64), nullptr);
  }
  EXPECT_EQ(table->count(), 0u);
}

Snapshot* MakeSnapshot(Arena& arena, BlockCache& cache, uint32_t slot, uint32_t time) {
  auto clock = std::make_unique<VectorClock>();
  clock->Set(slot, time);
  return clock->Take(arena, cache);
}

TEST(ChannelTest, ItemsComeFromBothEnds) {
  Arena arena;
  BlockCache cache = {};
  Channel channel;
  for (uint32_t item = 1; item <= 100; ++item) {
    channel.Put(arena, cache, item, MakeSnapshot(arena, cache, 0, item), 1000);
  }
  const Snapshot* merged;
  for (uint32_t item : {1u, 100u, 2u, 99u, 3u}) {
    Snapshot* clock = channel.Take(item, &merged);
    ASSERT_NE(clock, nullptr) << item;
    EXPECT_EQ(clock->at(0), item);
    Drop(arena, cache, clock);
  }
  EXPECT_EQ(channel.size(), 95u);
  EXPECT_EQ(channel.Take(1, &merged), nullptr);
  EXPECT_EQ(merged, nullptr);
  channel.Clear(arena, cache);
}

TEST(ChannelTest, OldItemsAreMergedBeyondTheLimit) {
  Arena arena;
  BlockCache cache = {};
  Channel channel;
  for (uint32_t item = 1; item <= 10; ++item) {
    channel.Put(arena, cache, item, MakeSnapshot(arena, cache, item, 5), 4);
  }
  EXPECT_EQ(channel.size(), 4u);
  const Snapshot* merged;
  EXPECT_EQ(channel.Take(1, &merged), nullptr);
  ASSERT_NE(merged, nullptr);
  for (uint32_t slot = 1; slot <= 6; ++slot) EXPECT_EQ(merged->at(slot), 5u) << slot;
  EXPECT_EQ(merged->at(7), 0u);
  channel.Clear(arena, cache);
}

TEST(LockSetsTest, SameLocksSameSet) {
  Arena arena;
  BlockCache cache = {};
  auto sets = std::make_unique<LockSets>();
  HeldLocks held;
  EXPECT_EQ(sets->Intern(arena, cache, held), kNoLocks);
  held.Push({0x10, 1, 1});
  const uint32_t one = sets->Intern(arena, cache, held);
  held.Push({0x20, 2, 1});
  const uint32_t two = sets->Intern(arena, cache, held);
  EXPECT_NE(one, two);
  held.Pop(0x20);
  EXPECT_EQ(sets->Intern(arena, cache, held), one);
  held.Pop(0x30);  // not held
  EXPECT_EQ(sets->Intern(arena, cache, held), one);
  ASSERT_NE(sets->Get(two), nullptr);
  EXPECT_EQ(sets->Get(two)->size, 2u);
  EXPECT_EQ(sets->Get(two)->locks[1].address, 0x20u);
  held.Pop(0x10);
  EXPECT_EQ(sets->Intern(arena, cache, held), kNoLocks);
}

TEST(LockSetsTest, MoreLocksThanAreNamed) {
  HeldLocks held;
  for (uint32_t i = 0; i < 40; ++i) held.Push({0x100 + i, i, 1});
  EXPECT_EQ(held.size(), HeldLocks::kCapacity);
  for (uint32_t i = 40; i-- > 0;) held.Pop(0x100 + i);
  EXPECT_EQ(held.size(), 0u);
}

TEST(CallingContextsTest, InternsEachOnceWithItsTraits) {
  Arena arena;
  BlockCache blocks = {};
  CallingContexts contexts;
  ASSERT_TRUE(contexts.Init([](void*, uint32_t parent) { return parent + 1; }));
  auto cache = std::make_unique<ContextCache>();
  auto other_cache = std::make_unique<ContextCache>();
  int f, g;
  const uint32_t outer = contexts.Intern(arena, blocks, *cache, kOutsideNode, 0, &f).node;
  const uint32_t inner = contexts.Intern(arena, blocks, *cache, outer, 10, &g).node;
  const uint32_t location = contexts.Intern(arena, blocks, *cache, inner, 3, nullptr).node;
  EXPECT_EQ(contexts.Intern(arena, blocks, *other_cache, kOutsideNode, 0, &f).node, outer);
  EXPECT_EQ(contexts.Intern(arena, blocks, *other_cache, outer, 10, &g).node, inner);
  EXPECT_NE(contexts.Intern(arena, blocks, *other_cache, outer, 11, &g).node, inner);
  EXPECT_EQ(contexts.node(inner).parent, outer);
  EXPECT_EQ(contexts.node(inner).offset, 10u);
  EXPECT_EQ(contexts.node(outer).traits, 1u);
  EXPECT_EQ(contexts.node(inner).traits, 2u);
  EXPECT_EQ(contexts.node(location).traits, 2u) << "a location has its function's";
}

TEST(NextInRingTest, EveryNumberComesOnceInARound) {
  uint8_t counter = 0;
  for (uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(NextInRing(counter, 127), i % 127 + 1);
}

TEST(VectorClockTest, MergeIsTheLeastThatCoversBoth) {
  Arena arena;
  BlockCache cache = {};
  Snapshot* a = MakeSnapshot(arena, cache, 1, 5);
  Snapshot* b = MakeSnapshot(arena, cache, 3, 7);
  Snapshot* both = Merge(arena, cache, *a, *b);
  ASSERT_NE(both, nullptr);
  EXPECT_EQ(both->at(1), 5u);
  EXPECT_EQ(both->at(3), 7u);
  EXPECT_EQ(both->at(2), 0u);
  auto clock = std::make_unique<VectorClock>();
  EXPECT_FALSE(clock->Covers(a));
  EXPECT_TRUE(clock->Join(both));
  EXPECT_FALSE(clock->Join(a));
  EXPECT_TRUE(clock->Covers(a) && clock->Covers(b));
  Drop(arena, cache, a);
  Drop(arena, cache, b);
  Drop(arena, cache, both);
}

}  // namespace
}  // namespace fthreadprof::race
