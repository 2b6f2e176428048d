// Shadow: the history of one object: its variables. ShadowTable: the shadows by address, in shards
// with a lock each. A shadow is made when an object is first touched while several threads live,
// and dies with its object, so that who gets the address next inherits nothing.
//
// Variables are found by a 64-bit key: a small table, scanned while it is small; the elements of a
// list lie in ElementChunks instead.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_SHADOW_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_SHADOW_H_

#include <bit>
#include <cstdint>
#include <cstring>

#include "access_set.h"
#include "arena.h"
#include "element_chunks.h"
#include "spin_lock.h"
#include "vector_clock.h"

namespace fthreadprof::race {

inline uint64_t Mix(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 29;
  return x;
}

// FNV-1a.
inline uint64_t HashBytes(const void* data, size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
  return hash;
}

// The next of 1 to `last`, and 1 after that. Two threads at once may get the same.
inline uint8_t NextInRing(uint8_t& counter, uint8_t last) {
  const uint8_t before = __atomic_load_n(&counter, __ATOMIC_RELAXED);
  const auto next = static_cast<uint8_t>(before >= last ? 1 : before + 1);
  __atomic_store_n(&counter, next, __ATOMIC_RELAXED);
  return next;
}

// Keys of variables. 0 is no key.
inline constexpr uint64_t kStructureKey = 1;
inline constexpr uint64_t kOrderKey = 2;
inline constexpr uint64_t kContentKey = 3;  // of a cell
inline constexpr uint64_t kValuesKey = 4;   // of a container: all its elements at once
// Of a dict key or a name, by its hash.
inline uint64_t HashKey(int64_t hash) {
  const uint64_t key = Mix(static_cast<uint64_t>(hash)) & ~kIndexBit;
  return key > kValuesKey ? key : key + 8;
}

class Shadow {
 public:
  explicit Shadow(uintptr_t address) : address_(address) {}
  Shadow(const Shadow&) = delete;  // variables_ may point into it
  Shadow& operator=(const Shadow&) = delete;

  uintptr_t address() const { return address_; }

  // Calls function(Variable&) for the variable, made if it is new; false without memory.
  template <typename Function>
  bool With(Arena& arena, BlockCache& cache, uint64_t key, Function function) {
    if (IsIndexKey(key) && (key & ~kIndexBit) < ElementChunks::kMaxIndex) {
      return elements_.With(arena, cache, key & ~kIndexBit, function);
    }
    Variable* variable = FindKeyed(arena, cache, key);
    if (variable == nullptr) return false;
    function(*variable);
    return true;
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
    elements_.ForEach(function);
  }

  // How many variables there are beside the elements of a list.
  uint32_t keyed() const { return size_; }

  // Drops those of them that `is_past` is true of; without memory none.
  template <typename Predicate>
  void DropKeyed(Arena& arena, BlockCache& cache, Predicate is_past) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < capacity_; ++i) {
      kept += variables_[i].key != 0 && !is_past(variables_[i]);
    }
    const uint32_t capacity = std::bit_ceil(2 * kept + kScanned);
    auto* fewer = static_cast<Variable*>(arena.AllocateZeroed(cache, capacity * sizeof(Variable)));
    if (fewer == nullptr) return;
    for (uint32_t i = 0; i < capacity_; ++i) {
      Variable& variable = variables_[i];
      if (variable.key == 0) continue;
      if (is_past(variable)) {
        variable.Clear(arena, cache);
      } else {
        fewer[FreePlace(fewer, capacity, variable.key)] = variable;
      }
    }
    FreeVariables(arena, cache);
    variables_ = fewer;
    capacity_ = capacity;
    size_ = kept;
  }

  void Clear(Arena& arena, BlockCache& cache) {
    for (uint32_t i = 0; i < capacity_; ++i) {
      if (variables_[i].key != 0) variables_[i].Clear(arena, cache);
    }
    FreeVariables(arena, cache);
    elements_.Clear(arena, cache);
    Drop(arena, cache, past);
  }

  Shadow* next = nullptr;      // in the table's bucket
  uintptr_t owner = 0;         // of an object's __dict__: the object, whose variables it shares
  uintptr_t dictionary = 0;    // of such an object: that dict
  bool is_module = false;      // a dict: the globals of a module
  bool order_written = false;  // kOrderKey has a history of writes
  bool values_read = false;    // kValuesKey has a history of reads
  // Of an object: stores that may have hidden a method of its class; 255 stays.
  uint8_t hiding = 0;
  uint32_t look_over_at = 1024;  // when there are so many variables: Detector::DropPast
  // Another one with every write of an element, unique in the process; 0 until somebody has checked
  // all elements.
  uint64_t elements_stamp = 0;
  // Covers all writes that DropPast has dropped; nullptr: none.
  Snapshot* past = nullptr;

 private:
  static constexpr uint32_t kScanned = 8;

  // Made if it is new; nullptr without memory.
  Variable* FindKeyed(Arena& arena, BlockCache& cache, uint64_t key) {
    if (Variable* found = FindExisting(key)) return found;
    if (size_ == capacity_ || (capacity_ > kScanned && 4 * size_ >= 3 * capacity_)) {
      if (!Grow(arena, cache)) return nullptr;
    }
    ++size_;
    Variable* variable = &variables_[FreePlace(variables_, capacity_, key)];
    variable->key = key;
    return variable;
  }

  static uint32_t FreePlace(const Variable* variables, uint32_t capacity, uint64_t key) {
    uint32_t i = capacity <= kScanned ? 0 : static_cast<uint32_t>(key) & (capacity - 1);
    while (variables[i].key != 0) i = (i + 1) & (capacity - 1);
    return i;
  }

  bool Grow(Arena& arena, BlockCache& cache) {
    const uint32_t capacity = 2 * capacity_;
    const size_t bytes = capacity * sizeof(Variable);
    auto* grown = static_cast<Variable*>(arena.Allocate(cache, bytes));
    if (grown == nullptr) return false;
    memset(grown, 0, bytes);
    for (uint32_t i = 0; i < capacity_; ++i) {
      if (variables_[i].key == 0) continue;
      grown[FreePlace(grown, capacity, variables_[i].key)] = variables_[i];
    }
    FreeVariables(arena, cache);
    variables_ = grown;
    capacity_ = capacity;
    return true;
  }

  void FreeVariables(Arena& arena, BlockCache& cache) {
    if (variables_ != few_) arena.Free(cache, variables_, capacity_ * sizeof(Variable));
  }

  const uintptr_t address_;
  static constexpr uint32_t kFew = 2;
  Variable* variables_ = few_;
  uint32_t size_ = 0;
  uint32_t capacity_ = kFew;
  ElementChunks elements_;
  Variable few_[kFew] = {};  // most objects have no more
};

class ShadowTable {
 public:
  // One shard: the shadows whose addresses hash to it. Hold its lock for all that is done to them.
  class alignas(64) Shard {
   public:
    SpinLock lock;

    Shadow* Find(uintptr_t address) const {
      if (buckets_ == nullptr) return nullptr;
      Shadow* shadow = buckets_[Bucket(address, bucket_count_)];
      while (shadow != nullptr && shadow->address() != address) shadow = shadow->next;
      return shadow;
    }

    // REQUIRES: Find(address) is null. nullptr without memory.
    Shadow* Make(Arena& arena, BlockCache& cache, uintptr_t address) {
      if (count_ >= bucket_count_ && !Grow(arena, cache) && bucket_count_ == 0) return nullptr;
      void* memory = arena.Allocate(cache, sizeof(Shadow));
      if (memory == nullptr) return nullptr;
      auto* shadow = new (memory) Shadow(address);
      Shadow** bucket = &buckets_[Bucket(address, bucket_count_)];
      shadow->next = *bucket;
      *bucket = shadow;
      ++count_;
      return shadow;
    }

    // Takes it out; the caller clears and frees it. nullptr if there is none.
    Shadow* Remove(uintptr_t address) {
      if (buckets_ == nullptr) return nullptr;
      Shadow** link = &buckets_[Bucket(address, bucket_count_)];
      while (*link != nullptr && (*link)->address() != address) link = &(*link)->next;
      Shadow* shadow = *link;
      if (shadow == nullptr) return nullptr;
      *link = shadow->next;
      --count_;
      return shadow;
    }

    uint32_t count() const { return count_; }

   private:
    // Neighbouring objects in neighbouring buckets, whatever their size.
    static size_t Bucket(uintptr_t address, uint32_t count) {
      return ((address >> 4) + (address >> 6)) & (count - 1);
    }

    bool Grow(Arena& arena, BlockCache& cache) {
      const uint32_t grown_count = bucket_count_ == 0 ? 8 : 4 * bucket_count_;
      auto** grown = static_cast<Shadow**>(arena.Allocate(cache, grown_count * sizeof(Shadow*)));
      if (grown == nullptr) return false;
      memset(grown, 0, grown_count * sizeof(Shadow*));
      for (uint32_t i = 0; i < bucket_count_; ++i) {
        while (Shadow* shadow = buckets_[i]) {
          buckets_[i] = shadow->next;
          Shadow** bucket = &grown[Bucket(shadow->address(), grown_count)];
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

  // A page's objects are mostly one thread's: they share a shard, whose lock stays with that
  // thread's core.
  Shard& ShardOf(uintptr_t address) { return shards_[Mix(address >> 12) >> 16 & (kShards - 1)]; }

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
