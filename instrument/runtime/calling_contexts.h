// CallingContexts: full stacks in four bytes. A node is a function as called from one place of its
// caller's node, interned, and lives as long as the process: a history stores a node and the offset
// of the instruction. Where even that is too much, a location is an instruction of a node, interned
// too.
//
// The code object is opaque here; `retain` is called for one when its first node is made, since a
// code object that a node names must not be freed (and its address given to another).
//
// Thread safety: Intern locks when a node is new; reading a node whose id one holds needs no lock.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_CALLING_CONTEXTS_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_CALLING_CONTEXTS_H_

#include <sys/mman.h>

#include <cstdint>

#include "arena.h"
#include "growing_cache.h"
#include "shadow.h"
#include "spin_lock.h"

namespace fthreadprof::race {

inline constexpr uint32_t kUnknownNode = 0;
inline constexpr uint32_t kOutsideNode = 1;  // no Python function, the parent of all others

struct ContextNode {
  void* code;  // of the function; nullptr: a location in the parent
  uint32_t parent;
  uint32_t offset;  // in the parent's code: of the call, or of the location
  uint32_t next;    // in the bucket
  uint32_t traits;  // what `Traits` said of the function in its parent
};

// A thread's memory of what it interned last.
struct ContextCacheEntry {
  void* code;
  uint32_t parent;
  uint32_t offset;
  uint32_t node;
  uint32_t traits;  // of the node
};
using ContextCache = GrowingCache<ContextCacheEntry, 256, 16384>;

class CallingContexts {
 public:
  // What is known of a function when it is called in a context whose traits are given. Called with
  // the lock held, once a node.
  using TraitsFunction = uint32_t (*)(void* code, uint32_t parent_traits);

  // Takes address space for kMaxNodes; false if the kernel refuses.
  bool Init(TraitsFunction traits) {
    traits_ = traits;
    nodes_ = Reserve<ContextNode>(kMaxNodes);
    buckets_ = Reserve<uint32_t>(kBuckets);
    return nodes_ != nullptr && buckets_ != nullptr;
  }

  struct Interned {
    uint32_t node;
    uint32_t traits;
  };
  // The cache is the calling thread's; it grows by blocks of the arena.
  Interned Intern(Arena& arena, BlockCache& blocks, ContextCache& cache, uint32_t parent,
                  uint32_t offset, void* code) {
    // Two parents' contexts beside each other (half of all functions call none), and beside those
    // of their children: a recursion walks along them.
    constexpr uint32_t kWays = 4;
    const uint64_t child = reinterpret_cast<uintptr_t>(code) ^ offset * 0x9e3779b97f4a7c15ULL;
    ContextCacheEntry* const ways = &cache.Near(uint64_t{parent / 2} * kWays);
    uint32_t victim = static_cast<uint32_t>(child * 0x9e3779b97f4a7c15ULL >> 62);
    for (uint32_t way = 0; way < kWays; ++way) {
      const ContextCacheEntry& entry = ways[way];
      if (entry.node != 0 && entry.code == code && entry.parent == parent &&
          entry.offset == offset) {
        return {entry.node, entry.traits};
      }
      if (entry.parent / 2 != parent / 2) victim = way;
    }
    const uint32_t node = InternShared(Mix(child ^ uint64_t{parent} << 20), parent, offset, code);
    const uint32_t traits = nodes_[node].traits;
    ways[victim] = {code, parent, offset, node, traits};
    cache.Missed(arena, blocks);
    return {node, traits};
  }

  const ContextNode& node(uint32_t id) const { return nodes_[id]; }
  uint32_t size() const { return size_; }

  void AcquireLocks() { lock_.Acquire(); }
  void ReleaseLocks() { lock_.Release(); }

 private:
  static constexpr uint32_t kMaxNodes = uint32_t{1} << 26;
  static constexpr uint32_t kBuckets = uint32_t{1} << 20;

  template <typename T>
  static T* Reserve(size_t count) {
    void* memory = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<T*>(memory);
  }

  // Of the bucket's chain from `first` on; 0 if it is not there. A chain only grows, at its head.
  uint32_t FindInChain(uint32_t first, uint32_t parent, uint32_t offset, void* code) const {
    for (uint32_t id = first; id != 0; id = nodes_[id].next) {
      const ContextNode& node = nodes_[id];
      if (node.code == code && node.parent == parent && node.offset == offset) return id;
    }
    return 0;
  }

  uint32_t InternShared(uint64_t hash, uint32_t parent, uint32_t offset, void* code) {
    uint32_t& bucket = buckets_[hash >> 32 & (kBuckets - 1)];
    const uint32_t first = __atomic_load_n(&bucket, __ATOMIC_ACQUIRE);
    if (const uint32_t id = FindInChain(first, parent, offset, code)) return id;
    SpinLockHolder holder(lock_);
    if (bucket != first) {
      if (const uint32_t id = FindInChain(bucket, parent, offset, code)) return id;
    }
    if (size_ == kMaxNodes) return kUnknownNode;
    const uint32_t id = size_++;
    const uint32_t parent_traits = nodes_[parent].traits;
    nodes_[id] = {code, parent, offset, bucket,
                  code == nullptr ? parent_traits : traits_(code, parent_traits)};
    __atomic_store_n(&bucket, id, __ATOMIC_RELEASE);
    return id;
  }

  TraitsFunction traits_ = nullptr;
  SpinLock lock_;
  ContextNode* nodes_ = nullptr;
  uint32_t* buckets_ = nullptr;
  uint32_t size_ = kOutsideNode + 1;
};

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_CALLING_CONTEXTS_H_
