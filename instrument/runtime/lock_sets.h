// LockSets: which locks a thread held, in two bytes. A thread keeps the locks it holds with the
// places where it took them; when an access must be remembered, the whole set is interned.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_LOCK_SETS_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_LOCK_SETS_H_

#include <cstdint>
#include <cstring>

#include "arena.h"
#include "shadow.h"
#include "spin_lock.h"

namespace fthreadprof::race {

struct HeldLock {
  uintptr_t address;
  uint32_t location;  // where it was acquired
  uint32_t kind;      // race_log.h's LockKind
};

inline constexpr uint32_t kNoLocks = 0;

// The locks of one thread, in the order of their acquisition. Beyond kCapacity they are not named.
class HeldLocks {
 public:
  static constexpr uint32_t kCapacity = 16;

  void Push(const HeldLock& lock) {
    if (size_ < kCapacity) locks_[size_] = lock;
    ++size_;
    interned_ = false;
  }
  // The last acquisition of the lock; nothing if it is not held by this thread.
  void Pop(uintptr_t address) {
    for (uint32_t i = size_ < kCapacity ? size_ : kCapacity; i-- > 0;) {
      if (locks_[i].address != address) continue;
      memmove(&locks_[i], &locks_[i + 1], (kCapacity - 1 - i) * sizeof(HeldLock));
      --size_;
      interned_ = false;
      return;
    }
    if (size_ > kCapacity) --size_;
  }
  const HeldLock* locks() const { return locks_; }
  uint32_t size() const { return size_ < kCapacity ? size_ : kCapacity; }

 private:
  friend class LockSets;
  HeldLock locks_[kCapacity] = {};
  uint32_t size_ = 0;
  bool interned_ = true;
  uint32_t id_ = kNoLocks;
};

class LockSets {
 public:
  uint16_t Intern(Arena& arena, BlockCache& cache, HeldLocks& held) {
    if (!held.interned_) [[unlikely]] {
      held.id_ = held.size() == 0 ? kNoLocks : InternShared(arena, cache, held);
      held.interned_ = true;
    }
    return static_cast<uint16_t>(held.id_);
  }

  struct Set {
    uint32_t size;
    uint32_t next;
    HeldLock locks[];
    static size_t Bytes(uint32_t size) { return sizeof(Set) + size * sizeof(HeldLock); }
  };
  // nullptr for kNoLocks. Lives as long as the process.
  const Set* Get(uint32_t id) const { return id == kNoLocks ? nullptr : sets_[id]; }

  void AcquireLocks() { lock_.Acquire(); }
  void ReleaseLocks() { lock_.Release(); }

 private:
  static constexpr uint32_t kBuckets = 4096;
  // A program with more different sets (a lock an object, say) has the later ones unnamed.
  static constexpr uint32_t kMaxSets = 1 << 16;  // Access::lock_set

  // 0 if it is not there. A chain only grows, at its head.
  uint32_t FindInChain(uint32_t first, const HeldLocks& held) const {
    for (uint32_t id = first; id != 0; id = sets_[id]->next) {
      const Set& set = *sets_[id];
      if (set.size == held.size() &&
          memcmp(set.locks, held.locks_, set.size * sizeof(HeldLock)) == 0) {
        return id;
      }
    }
    return 0;
  }

  uint32_t InternShared(Arena& arena, BlockCache& cache, const HeldLocks& held) {
    uint64_t hash = held.size();
    for (uint32_t i = 0; i < held.size(); ++i) {
      hash = Mix(hash ^ held.locks_[i].address ^ (uint64_t{held.locks_[i].location} << 40));
    }
    uint32_t& bucket = buckets_[hash & (kBuckets - 1)];
    const uint32_t first = __atomic_load_n(&bucket, __ATOMIC_ACQUIRE);
    if (const uint32_t id = FindInChain(first, held)) return id;
    SpinLockHolder holder(lock_);
    if (bucket != first) {
      if (const uint32_t id = FindInChain(bucket, held)) return id;
    }
    if (size_ == kMaxSets) return kNoLocks;
    auto* set = static_cast<Set*>(arena.Allocate(cache, Set::Bytes(held.size())));
    if (set == nullptr) return kNoLocks;
    set->size = held.size();
    set->next = bucket;
    memcpy(set->locks, held.locks_, set->size * sizeof(HeldLock));
    const uint32_t id = size_++;
    sets_[id] = set;
    __atomic_store_n(&bucket, id, __ATOMIC_RELEASE);
    return id;
  }

  SpinLock lock_;
  uint32_t size_ = kNoLocks + 1;
  uint32_t buckets_[kBuckets] = {};
  Set* sets_[kMaxSets] = {};
};

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_LOCK_SETS_H_
