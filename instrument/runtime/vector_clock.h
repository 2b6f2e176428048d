// VectorClock: what a thread knows of every other one. Snapshot: an immutable, shared copy of it,
// as a lock, a finished thread or a stored value carries it.
//
// A thread's place in the clocks is its slot. A slot is used again by a thread that starts after
// all that its last user did (it has been joined by the starter, directly or not), so 100,000
// threads need few slots and no order is invented; see ThreadRegistry.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_VECTOR_CLOCK_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_VECTOR_CLOCK_H_

#include <atomic>
#include <cstdint>
#include <cstring>

#include "arena.h"

namespace fthreadprof::race {

// 0xffff marks a set of several accesses, see access_set.h.
inline constexpr uint32_t kMaxSlots = 1024;

struct Snapshot {
  std::atomic<uint32_t> references;
  uint32_t size;
  uint32_t clocks[];

  static size_t Bytes(uint32_t size) { return sizeof(Snapshot) + size * sizeof(uint32_t); }
  uint32_t at(uint32_t slot) const { return slot < size ? clocks[slot] : 0; }
};

inline Snapshot* Share(Snapshot* snapshot) {
  if (snapshot != nullptr) snapshot->references.fetch_add(1, std::memory_order_relaxed);
  return snapshot;
}

inline void Drop(Arena& arena, BlockCache& cache, Snapshot* snapshot) {
  if (snapshot == nullptr) return;
  if (snapshot->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  arena.Free(cache, snapshot, Snapshot::Bytes(snapshot->size));
}

// Fixed capacity: growing would be an allocation on the path of an acquire. 4 KiB a thread.
struct VectorClock {
  uint32_t size = 0;  // slots from here on are 0
  uint32_t clocks[kMaxSlots] = {};

  uint32_t at(uint32_t slot) const { return clocks[slot]; }
  void Set(uint32_t slot, uint32_t clock) {
    clocks[slot] = clock;
    if (slot >= size) size = slot + 1;
  }
  // Returns whether anything changed.
  bool Join(const Snapshot* other) {
    if (other == nullptr) return false;
    bool changed = false;
    for (uint32_t slot = 0; slot < other->size; ++slot) {
      if (other->clocks[slot] > clocks[slot]) {
        clocks[slot] = other->clocks[slot];
        changed = true;
      }
    }
    if (other->size > size) size = other->size;
    return changed;
  }
  bool Covers(const Snapshot* other) const {
    if (other == nullptr) return true;
    for (uint32_t slot = 0; slot < other->size; ++slot) {
      if (other->clocks[slot] > clocks[slot]) return false;
    }
    return true;
  }
  // With one reference, the caller's; nullptr without memory.
  Snapshot* Take(Arena& arena, BlockCache& cache) const {
    auto* snapshot = static_cast<Snapshot*>(arena.Allocate(cache, Snapshot::Bytes(size)));
    if (snapshot == nullptr) return nullptr;
    new (&snapshot->references) std::atomic<uint32_t>(1);
    snapshot->size = size;
    memcpy(snapshot->clocks, clocks, size * sizeof(uint32_t));
    return snapshot;
  }
};

// The join of both, with one reference; nullptr without memory.
inline Snapshot* Merge(Arena& arena, BlockCache& cache, const Snapshot& a, const Snapshot& b) {
  const uint32_t size = a.size > b.size ? a.size : b.size;
  auto* merged = static_cast<Snapshot*>(arena.Allocate(cache, Snapshot::Bytes(size)));
  if (merged == nullptr) return nullptr;
  new (&merged->references) std::atomic<uint32_t>(1);
  merged->size = size;
  for (uint32_t slot = 0; slot < size; ++slot) {
    merged->clocks[slot] = a.at(slot) > b.at(slot) ? a.at(slot) : b.at(slot);
  }
  return merged;
}

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_VECTOR_CLOCK_H_
