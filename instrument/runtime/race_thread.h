// RaceThread: all that the detector keeps of one live thread. Touched by that thread only, save for
// what is atomic. Taken from a pool and given back when the thread has ended.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_RACE_THREAD_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_RACE_THREAD_H_

#include <atomic>
#include <cstdint>

#include "access_set.h"
#include "arena.h"
#include "calling_contexts.h"
#include "growing_cache.h"
#include "lock_sets.h"
#include "perturbation.h"
#include "vector_clock.h"

namespace fthreadprof::race {

// Which variables this thread has touched in its present epoch: the fast path. An entry that says
// "read" makes further reads free until the thread releases something; "write" covers reads too.
// Old entries need no clearing: an epoch comes once in a process.
struct AccessCacheEntry {
  uint64_t tag_and_kinds;  // a hash of variable and epoch, AccessKind's bits
};
inline constexpr uint64_t kAccessKinds = 7;
using AccessCache = GrowingCache<AccessCacheEntry, 256, 8192>;

// What was found out about an attribute of a type, for as long as the type has this version.
struct TypeCacheEntry {
  void* type;
  int64_t hash;      // of the attribute's name
  uint32_t version;  // 0: nothing is known
  int32_t answer;
};

// A Python frame that was entered, and its node once an access needed it.
struct ShadowFrame {
  void* frame;
  uint32_t node;    // 0: not known yet
  uint32_t traits;  // of the node
};

struct RaceThread {
  RaceThread() = default;
  constexpr explicit RaceThread(int always_busy) : busy(always_busy) {}

  uint32_t id = 0;  // in ThreadRegistry
  uint32_t slot = 0;
  uint32_t test = 0;   // that it runs, in Reporter; 0: none
  uint64_t epoch = 0;  // slot << 32 | own clock
  // Changed by whoever finds a race with this thread: it looks at its variables afresh then.
  std::atomic<uint64_t> salt{0};
  // Set by whoever comes to know what this thread did until now: what it does next must be told
  // apart from that, so its clock moves at its next look.
  std::atomic<bool> tick_requested{false};

  // Not 0 while the runtime itself works in this thread: accesses are its own then.
  int busy = 0;
  bool name_taken = false;

  uint32_t stamps = 0;     // that this thread gave (Shadow::elements_stamp)
  uint32_t knowledge = 0;  // how often it has learned something of others

  static constexpr uint32_t kTypeCache = 128;
  TypeCacheEntry methods[kTypeCache] = {};   // whether it is a method
  TypeCacheEntry definers[kTypeCache] = {};  // how many bases are asked for it

  // The frames during which the interpreter works for itself, innermost last.
  static constexpr int kMaxLookAway = 32;
  int look_away_depth = 0;
  void* look_away[kMaxLookAway] = {};

  // The attribute that a generic lookup is about, innermost last.
  struct Attribute {
    void* object;  // nullptr: not one that is tracked
    void* name;
    void* frame;  // in which it is looked up
  };
  static constexpr int kMaxAttributes = 32;
  int attribute_depth = 0;
  // The attribute that is being stored, if BeforeAttributeStore has to be told when it is.
  void* stored_in = nullptr;
  void* stored_name = nullptr;
  Attribute attributes[kMaxAttributes] = {};

  // A promise that is read without a lock, as an event's flag: what it orders is learned once it
  // has been read, else whoever keeps it in between is missed. 0: none.
  uintptr_t promise = 0;
  // The attribute that must not be False then; nullptr: none.
  void* promise_name = nullptr;

  // The set that this thread is about to change, and how many elements it had (set_hooks.cc).
  void* changed_set = nullptr;
  int64_t elements_before = 0;

  // frames[0] is the outside. The memory grows with the depth of the thread's stack.
  ShadowFrame* frames = nullptr;
  uint32_t frame_count = 0;
  uint32_t frame_capacity = 0;

  HeldLocks held;
  Snapshot* snapshot = nullptr;  // of `clock` as it is; nullptr when it changed since
  VectorClock clock;
  BlockCache blocks = {};
  AccessCache cache;
  ContextCache contexts;

  Perturbation perturbation;
  RaceThread* next_in_pool = nullptr;
};

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_RACE_THREAD_H_
