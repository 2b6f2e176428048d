// Shadow: the history of one object: its variables. ShadowTable: the shadows by address, in shards
// with a lock each. A shadow is made when an object is first touched while several threads live,
// and dies with its object, so that who gets the address next inherits nothing.
//
// Variables are found by a 64-bit key: a small table, scanned while it is small; the elements of a
// list lie in dense chunks by index instead (a hash cost 2.5 times as much on list-heavy loops).
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_SHADOW_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_SHADOW_H_

#include <bit>
#include <cstdint>
#include <cstring>

#include "access_set.h"
#include "arena.h"
#include "spin_lock.h"
#include "vector_clock.h"

namespace fthreadprof::race {

inline uint64_t Mix(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 29;
  return x;
}

// Keys of variables. 0 is no key.
inline constexpr uint64_t kStructureKey = 1;
inline constexpr uint64_t kOrderKey = 2;
inline constexpr uint64_t kContentKey = 3;  // of a cell
inline constexpr uint64_t kValuesKey = 4;   // of a container: all its elements at once
inline constexpr uint64_t kIndexBit = uint64_t{1} << 63;
inline uint64_t IndexKey(uint64_t index) { return index | kIndexBit; }
inline bool IsIndexKey(uint64_t key) { return (key & kIndexBit) != 0; }
// Of a dict key or a name, by its hash.
inline uint64_t HashKey(int64_t hash) {
  const uint64_t key = Mix(static_cast<uint64_t>(hash)) & ~kIndexBit;
  return key > kValuesKey ? key : key + 8;
}

struct Variable {
  uint64_t key;
  AccessSet writes;
  AccessSet reads;
  // Clock of the last writer when it wrote, its low bit set once a race was found here.
  uintptr_t published;

  Snapshot* snapshot() const { return reinterpret_cast<Snapshot*>(published & ~uintptr_t{1}); }
  bool raced() const { return (published & 1) != 0; }
  void set_raced() { published |= 1; }
  void set_snapshot(Snapshot* snapshot) {
    published = reinterpret_cast<uintptr_t>(snapshot) | (published & 1);
  }
};
static_assert(sizeof(Variable) == 48);

class Shadow {
 public:
  explicit Shadow(uintptr_t address) : address_(address) {}

  uintptr_t address() const { return address_; }

  // The variable, made if it is new; nullptr without memory.
  Variable* Find(Arena& arena, BlockCache& cache, uint64_t key) {
    if (IsIndexKey(key) && (key & ~kIndexBit) < kMaxDenseIndex) {
      return FindDense(arena, cache, key & ~kIndexBit);
    }
    if (Variable* found = FindExisting(key)) return found;
    if (size_ == capacity_ || (capacity_ > kScanned && 4 * size_ >= 3 * capacity_)) {
      if (!Grow(arena, cache)) return nullptr;
    }
    ++size_;
    Variable* variable = &variables_[FreePlace(variables_, capacity_, key)];
    variable->key = key;
    return variable;
  }

  // Of a variable that is no element of a list; nullptr if it has no history.
  Variable* FindExisting(uint64_t key) const {
    if (capacity_ <= kScanned) {
      for (uint32_t i = 0; i < size_; ++i) {
        if (variables_[i].key == key) return &variables_[i];
      }
      return nullptr;
    }
    for (uint32_t i = static_cast<uint32_t>(key) & (capacity_ - 1);;
         i = (i + 1) & (capacity_ - 1)) {
      if (variables_[i].key == key) return &variables_[i];
      if (variables_[i].key == 0) return nullptr;
    }
  }

  template <typename Function>
  void ForEachVariable(Function function) {
    for (uint32_t i = 0; i < capacity_; ++i) {
      if (variables_[i].key != 0) function(variables_[i]);
    }
    for (int chunk = 0; dense_ != nullptr && chunk < kDenseChunks; ++chunk) {
      if (dense_[chunk] == nullptr) continue;
      for (uint64_t i = 0; i < ChunkSize(chunk); ++i) {
        if (dense_[chunk][i].key != 0) function(dense_[chunk][i]);
      }
    }
  }

  void Clear(Arena& arena, BlockCache& cache) {
    for (uint32_t i = 0; i < capacity_; ++i) {
      if (variables_[i].key != 0) ClearVariable(arena, cache, variables_[i]);
    }
    arena.Free(cache, variables_, capacity_ * sizeof(Variable));
    if (dense_ != nullptr) {
      for (int chunk = 0; chunk < kDenseChunks; ++chunk) {
        if (dense_[chunk] == nullptr) continue;
        for (uint64_t i = 0; i < ChunkSize(chunk); ++i) {
          ClearVariable(arena, cache, dense_[chunk][i]);
        }
        arena.Free(cache, dense_[chunk], ChunkSize(chunk) * sizeof(Variable));
      }
      arena.Free(cache, dense_, kDenseChunks * sizeof(Variable*));
    }
  }

  Shadow* next = nullptr;      // in the table's bucket
  uintptr_t owner = 0;         // of an object's __dict__: the object, whose variables it shares
  uintptr_t dictionary = 0;    // of such an object: that dict
  bool is_module = false;      // a dict: the globals of a module
  bool order_written = false;  // kOrderKey has a history of writes
  bool values_read = false;    // kValuesKey has a history of reads

 private:
  static constexpr uint32_t kScanned = 8;
  static constexpr int kDenseChunks = 26;
  static constexpr uint64_t kMaxDenseIndex = (uint64_t{1} << kDenseChunks) - 1;

  // Chunk n holds 2^n indices, from 2^n - 1 on.
  static uint64_t ChunkSize(int chunk) { return uint64_t{1} << chunk; }

  Variable* FindDense(Arena& arena, BlockCache& cache, uint64_t index) {
    if (dense_ == nullptr) {
      dense_ = static_cast<Variable**>(arena.Allocate(cache, kDenseChunks * sizeof(Variable*)));
      if (dense_ == nullptr) return nullptr;
      memset(dense_, 0, kDenseChunks * sizeof(Variable*));
    }
    const int chunk = static_cast<int>(std::bit_width(index + 1)) - 1;
    if (dense_[chunk] == nullptr) {
      const size_t bytes = ChunkSize(chunk) * sizeof(Variable);
      dense_[chunk] = static_cast<Variable*>(arena.Allocate(cache, bytes));
      if (dense_[chunk] == nullptr) return nullptr;
      memset(dense_[chunk], 0, bytes);
    }
    Variable* variable = &dense_[chunk][index + 1 - ChunkSize(chunk)];
    variable->key = IndexKey(index);
    return variable;
  }

  static uint32_t FreePlace(const Variable* variables, uint32_t capacity, uint64_t key) {
    uint32_t i = capacity <= kScanned ? 0 : static_cast<uint32_t>(key) & (capacity - 1);
    while (variables[i].key != 0) i = (i + 1) & (capacity - 1);
    return i;
  }

  bool Grow(Arena& arena, BlockCache& cache) {
    const uint32_t capacity = capacity_ == 0 ? 2 : 2 * capacity_;
    const size_t bytes = capacity * sizeof(Variable);
    auto* grown = static_cast<Variable*>(arena.Allocate(cache, bytes));
    if (grown == nullptr) return false;
    memset(grown, 0, bytes);
    for (uint32_t i = 0; i < capacity_; ++i) {
      if (variables_[i].key == 0) continue;
      grown[FreePlace(grown, capacity, variables_[i].key)] = variables_[i];
    }
    arena.Free(cache, variables_, capacity_ * sizeof(Variable));
    variables_ = grown;
    capacity_ = capacity;
    return true;
  }

  static void ClearVariable(Arena& arena, BlockCache& cache, Variable& variable) {
    variable.writes.Clear(arena, cache);
    variable.reads.Clear(arena, cache);
    Drop(arena, cache, variable.snapshot());
  }

  const uintptr_t address_;
  Variable* variables_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
  Variable** dense_ = nullptr;
};

class ShadowTable {
 public:
  // One shard: the shadows whose addresses hash to it. Hold its lock for all that is done to them.
  class Shard {
   public:
    SpinLock lock;

    Shadow* Find(uintptr_t address) const {
      if (buckets_ == nullptr) return nullptr;
      Shadow* shadow = buckets_[Mix(address) >> 32 & (bucket_count_ - 1)];
      while (shadow != nullptr && shadow->address() != address) shadow = shadow->next;
      return shadow;
    }

    // REQUIRES: Find(address) is null. nullptr without memory.
    Shadow* Make(Arena& arena, BlockCache& cache, uintptr_t address) {
      if (count_ >= 2 * bucket_count_ && !Grow(arena, cache) && bucket_count_ == 0) return nullptr;
      void* memory = arena.Allocate(cache, sizeof(Shadow));
      if (memory == nullptr) return nullptr;
      auto* shadow = new (memory) Shadow(address);
      Shadow** bucket = &buckets_[Mix(address) >> 32 & (bucket_count_ - 1)];
      shadow->next = *bucket;
      *bucket = shadow;
      ++count_;
      return shadow;
    }

    // Takes it out; the caller clears and frees it. nullptr if there is none.
    Shadow* Remove(uintptr_t address) {
      if (buckets_ == nullptr) return nullptr;
      Shadow** link = &buckets_[Mix(address) >> 32 & (bucket_count_ - 1)];
      while (*link != nullptr && (*link)->address() != address) link = &(*link)->next;
      Shadow* shadow = *link;
      if (shadow == nullptr) return nullptr;
      *link = shadow->next;
      --count_;
      return shadow;
    }

    uint32_t count() const { return count_; }

   private:
    bool Grow(Arena& arena, BlockCache& cache) {
      const uint32_t grown_count = bucket_count_ == 0 ? 8 : 4 * bucket_count_;
      auto** grown = static_cast<Shadow**>(arena.Allocate(cache, grown_count * sizeof(Shadow*)));
      if (grown == nullptr) return false;
      memset(grown, 0, grown_count * sizeof(Shadow*));
      for (uint32_t i = 0; i < bucket_count_; ++i) {
        while (Shadow* shadow = buckets_[i]) {
          buckets_[i] = shadow->next;
          Shadow** bucket = &grown[Mix(shadow->address()) >> 32 & (grown_count - 1)];
          shadow->next = *bucket;
          *bucket = shadow;
        }
      }
      arena.Free(cache, buckets_, bucket_count_ * sizeof(Shadow*));
      buckets_ = grown;
      bucket_count_ = grown_count;
      return true;
    }

    Shadow** buckets_ = nullptr;
    uint32_t bucket_count_ = 0;
    uint32_t count_ = 0;
  };

  Shard& ShardOf(uintptr_t address) { return shards_[Mix(address) & (kShards - 1)]; }

  uint64_t count() const {
    uint64_t count = 0;
    for (const Shard& shard : shards_) count += shard.count();
    return count;
  }
  void AcquireLocks() {
    for (Shard& shard : shards_) shard.lock.Acquire();
  }
  void ReleaseLocks() {
    for (Shard& shard : shards_) shard.lock.Release();
  }

 private:
  static constexpr uint32_t kShards = 1024;
  Shard shards_[kShards];
};

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_SHADOW_H_
