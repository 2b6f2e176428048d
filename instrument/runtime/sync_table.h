// SyncTable: what synchronisation objects carry from thread to thread, by address: the clock of a
// lock, event or thread handle, and the clocks of single items of a channel (a queue's items, a
// semaphore's permits). Entries die with their objects, as shadows do.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_SYNC_TABLE_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_SYNC_TABLE_H_

#include <cstdint>
#include <cstring>

#include "arena.h"
#include "shadow.h"
#include "spin_lock.h"
#include "vector_clock.h"

namespace fthreadprof::race {

// First in, first out; an item is also found when it is taken from the other end.
class Channel {
 public:
  // Takes over the caller's reference. Keeps at most `limit` items apart; the clocks of older ones
  // are merged into one that every taker gets.
  void Put(Arena& arena, BlockCache& cache, uintptr_t item, Snapshot* clock, uint32_t limit) {
    while (size_ != 0 && size_ >= limit) MergeOldest(arena, cache);
    if (size_ == capacity_ && !Grow(arena, cache)) {
      MergeInto(arena, cache, clock);
      return;
    }
    items_[(first_ + size_++) & (capacity_ - 1)] = {item, clock};
  }

  // The clock of the item, with the caller's reference; nullptr if it is not there. `merged` is the
  // clock that every taker gets, without a reference.
  Snapshot* Take(uintptr_t item, const Snapshot** merged) {
    *merged = merged_;
    for (uint32_t distance = 0; distance < kSearched && distance < size_; ++distance) {
      if (at(distance).item == item) return TakeAt(distance);
      if (at(size_ - 1 - distance).item == item) return TakeAt(size_ - 1 - distance);
    }
    return nullptr;
  }
  Snapshot* TakeOldest() { return size_ == 0 ? nullptr : TakeAt(0); }
  uint32_t size() const { return size_; }

  // Takes over the caller's reference to what every taker gets, from now on of no item apart.
  void KeepOnly(Arena& arena, BlockCache& cache, Snapshot* clock) {
    while (Snapshot* taken = TakeOldest()) Drop(arena, cache, taken);
    Drop(arena, cache, merged_);
    merged_ = clock;
  }

  // See Detector::UseOwn.
  static constexpr uint32_t kNobody = 0;
  static constexpr uint32_t kSeveral = ~uint32_t{0};
  static constexpr uint32_t kOwnTakes = 16;
  uint32_t user = kNobody;  // a thread's id
  uint32_t user_slot = 0;
  uint32_t takes = 0;

  void Clear(Arena& arena, BlockCache& cache) {
    for (uint32_t i = 0; i < size_; ++i) Drop(arena, cache, at(i).clock);
    arena.Free(cache, items_, capacity_ * sizeof(Item));
    Drop(arena, cache, merged_);
  }

 private:
  struct Item {
    uintptr_t item;
    Snapshot* clock;
  };
  // An item is nearly always at an end.
  static constexpr uint32_t kSearched = 32;

  Item& at(uint32_t i) { return items_[(first_ + i) & (capacity_ - 1)]; }

  Snapshot* TakeAt(uint32_t i) {
    Snapshot* clock = at(i).clock;
    for (; i > 0; --i) at(i) = at(i - 1);
    first_ = (first_ + 1) & (capacity_ - 1);
    --size_;
    return clock;
  }

  void MergeOldest(Arena& arena, BlockCache& cache) { MergeInto(arena, cache, TakeOldest()); }
  void MergeInto(Arena& arena, BlockCache& cache, Snapshot* clock) {
    if (clock == nullptr) return;
    if (merged_ == nullptr) {
      merged_ = clock;
      return;
    }
    Snapshot* both = Merge(arena, cache, *merged_, *clock);
    if (both == nullptr) return;
    Drop(arena, cache, merged_);
    Drop(arena, cache, clock);
    merged_ = both;
  }

  bool Grow(Arena& arena, BlockCache& cache) {
    const uint32_t capacity = capacity_ == 0 ? 4 : 2 * capacity_;
    auto* items = static_cast<Item*>(arena.Allocate(cache, capacity * sizeof(Item)));
    if (items == nullptr) return false;
    for (uint32_t i = 0; i < size_; ++i) items[i] = at(i);
    arena.Free(cache, items_, capacity_ * sizeof(Item));
    items_ = items;
    capacity_ = capacity;
    first_ = 0;
    return true;
  }

  Item* items_ = nullptr;
  uint32_t first_ = 0;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;  // a power of two
  Snapshot* merged_ = nullptr;
};

// The things that one object may order by, apart from each other.
enum class SyncAspect : uint8_t {
  kMain,
  kTasks,
  kPermits,
  kImports,
  kAnnotated,
  kCallbacks,
  kDropped
};

struct SyncVariable {
  uintptr_t address;
  SyncAspect aspect;
  uint32_t place;  // a thread handle: ThreadRegistry::Place of the thread that is about to start
  uint32_t place_id;
  uint32_t place_clock;
  Snapshot* clock;
  Channel channel;
  SyncVariable* next;
};

class SyncTable {
 public:
  struct Shard {
    SpinLock lock;
    static constexpr uint32_t kBuckets = 16;
    SyncVariable* buckets[kBuckets] = {};
  };

  Shard& ShardOf(uintptr_t address) { return shards_[Mix(address) & (kShards - 1)]; }

  // nullptr if there is none and `make` is false, or without memory. REQUIRES: the shard is locked.
  SyncVariable* Find(Shard& shard, Arena& arena, BlockCache& cache, uintptr_t address,
                     SyncAspect aspect, bool make) {
    SyncVariable*& bucket = BucketOf(shard, address);
    for (SyncVariable* sync = bucket; sync != nullptr; sync = sync->next) {
      if (sync->address == address && sync->aspect == aspect) return sync;
    }
    if (!make) return nullptr;
    void* memory = arena.Allocate(cache, sizeof(SyncVariable));
    if (memory == nullptr) return nullptr;
    auto* sync = new (memory) SyncVariable{};
    sync->address = address;
    sync->aspect = aspect;
    sync->next = bucket;
    bucket = sync;
    return sync;
  }

  void Remove(Arena& arena, BlockCache& cache, uintptr_t address) {
    Shard& shard = ShardOf(address);
    SpinLockHolder holder(shard.lock);
    SyncVariable** link = &BucketOf(shard, address);
    while (SyncVariable* sync = *link) {
      if (sync->address != address) {
        link = &sync->next;
        continue;
      }
      *link = sync->next;
      Drop(arena, cache, sync->clock);
      sync->channel.Clear(arena, cache);
      arena.Free(cache, sync, sizeof(SyncVariable));
    }
  }

  void AcquireLocks() {
    for (Shard& shard : shards_) shard.lock.Acquire();
  }
  void ReleaseLocks() {
    for (Shard& shard : shards_) shard.lock.Release();
  }

 private:
  static constexpr uint32_t kShards = 1024;
  static SyncVariable*& BucketOf(Shard& shard, uintptr_t address) {
    return shard.buckets[Mix(address) >> 32 & (Shard::kBuckets - 1)];
  }
  Shard shards_[kShards];
};

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_SYNC_TABLE_H_
