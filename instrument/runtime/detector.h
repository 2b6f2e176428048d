// Detector: happens-before race detection of FastTrack's kind, without a word about Python: objects
// are addresses, variables keys. hooks.cc translates.
//
// Order comes from Acquire, Release, channels and threads only. A race is a pair of conflicting
// accesses, the earlier of which the later's thread does not know. Once found, the later thread is
// ordered after the earlier access, so that one mistake is one report, and the earlier thread's
// next accesses are told apart from those before.
//
// Thread safety: every function runs on the thread whose RaceThread it is given; any number of them
// at once. No function allocates but from the arena, and none calls anything outside of the
// runtime.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_DETECTOR_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_DETECTOR_H_

#include <atomic>
#include <cstdint>

#include "access_set.h"
#include "arena.h"
#include "calling_contexts.h"
#include "lock_sets.h"
#include "race_thread.h"
#include "shadow.h"
#include "sync_table.h"
#include "thread_registry.h"
#include "vector_clock.h"

namespace fthreadprof::race {

class Detector {
 public:
  constexpr Detector() = default;

  bool Init(CallingContexts::TraitsFunction traits) {
    return contexts.Init(traits) && registry.Init();
  }

  // --- Threads. A RaceThread lives in the pool; nullptr when the thread cannot be tracked.

  // A thread that nobody is known to have started: ordered after all that is known of the others,
  // unless not `ordered` (for tests).
  RaceThread* AdoptThread(bool ordered = true) {
    BlockCache blocks = {};
    const ThreadRegistry::Place place = registry.Add(arena, blocks, nullptr, 0, kUnknownNode, 0);
    arena.Drain(blocks);
    RaceThread* thread = TakeFromPool(place);
    if (thread == nullptr) return nullptr;
    for (uint32_t slot = 0; ordered && slot < registry.slot_count(); ++slot) {
      if (slot != thread->slot) LearnPresent(*thread, slot);
    }
    return thread;
  }

  // In the starter, before the thread starts.
  void StartThread(RaceThread& starter, uintptr_t handle, uint32_t location) {
    const ThreadRegistry::Place place =
        registry.Add(arena, starter.blocks, &starter.clock, starter.id, location, starter.test);
    if (place.id != 0) registry.record(place.id).perturbation = starter.perturbation.NextChild();
    {
      SyncTable::Shard& shard = sync.ShardOf(handle);
      SpinLockHolder holder(shard.lock);
      SyncVariable* variable =
          sync.Find(shard, arena, starter.blocks, handle, SyncAspect::kMain, true);
      if (variable == nullptr) return;
      Drop(arena, starter.blocks, variable->clock);
      variable->clock = Share(TakeSnapshot(starter));
      variable->place = place.slot;
      variable->place_id = place.id;
      variable->place_clock = place.clock;
    }
    Tick(starter);
  }

  // In the new thread. Unless `ordered`, the edge from its start is left out (for tests).
  RaceThread* BeginThread(uintptr_t handle, bool ordered) {
    SyncTable::Shard& shard = sync.ShardOf(handle);
    BlockCache blocks = {};
    ThreadRegistry::Place place;
    Snapshot* known = nullptr;
    {
      SpinLockHolder holder(shard.lock);
      SyncVariable* variable = sync.Find(shard, arena, blocks, handle, SyncAspect::kMain, false);
      if (variable == nullptr || variable->place_id == 0) return nullptr;
      place = {variable->place_id, variable->place, variable->place_clock};
      variable->place_id = 0;
      known = variable->clock;
      variable->clock = nullptr;
    }
    RaceThread* thread = TakeFromPool(place);
    if (thread == nullptr) {
      registry.End(place.slot, place.clock);
      return nullptr;
    }
    thread->perturbation.Begin(registry.record(place.id).perturbation, /*started=*/true);
    if (ordered) thread->clock.Join(known);
    Drop(arena, thread->blocks, known);
    return thread;
  }

  // In the thread, as the last thing it does. `handle` 0: nobody can join it.
  void EndThread(RaceThread& thread, uintptr_t handle) {
    // What it did last: nothing comes after the release.
    const uint32_t final_clock = thread.clock.at(thread.slot);
    if (handle != 0) Release(thread, handle, SyncAspect::kMain);
    DropSnapshot(thread);
    by_slot_[thread.slot].store(nullptr, std::memory_order_release);
    registry.End(thread.slot, final_clock);
    arena.Drain(thread.blocks);
    SpinLockHolder holder(pool_lock_);
    thread.next_in_pool = pool_;
    pool_ = &thread;
  }

  // The thread runs this test from now on, and so do the threads that it starts; 0: none.
  void SetTest(RaceThread& thread, uint32_t test) {
    if (test == thread.test) return;
    Tick(thread);
    thread.test = test;
    registry.SetTest(arena, thread.blocks,
                     {thread.id, thread.slot, thread.clock.at(thread.slot), test});
  }

  // --- Order.

  // With `make` the address is known afterwards, even if nobody has released it.
  void Acquire(RaceThread& thread, uintptr_t address, SyncAspect aspect = SyncAspect::kMain,
               bool make = false) {
    Snapshot* clock = nullptr;
    {
      SyncTable::Shard& shard = sync.ShardOf(address);
      SpinLockHolder holder(shard.lock);
      SyncVariable* variable = sync.Find(shard, arena, thread.blocks, address, aspect, make);
      if (variable == nullptr) return;
      clock = Share(variable->clock);
    }
    Learn(thread, clock);
    Drop(arena, thread.blocks, clock);
  }

  bool Knows(RaceThread& thread, uintptr_t address) {
    SyncTable::Shard& shard = sync.ShardOf(address);
    SpinLockHolder holder(shard.lock);
    return sync.Find(shard, arena, thread.blocks, address, SyncAspect::kMain, false) != nullptr;
  }

  void Release(RaceThread& thread, uintptr_t address, SyncAspect aspect = SyncAspect::kMain) {
    Snapshot* snapshot = TakeSnapshot(thread);
    {
      SyncTable::Shard& shard = sync.ShardOf(address);
      SpinLockHolder holder(shard.lock);
      SyncVariable* variable = sync.Find(shard, arena, thread.blocks, address, aspect, true);
      if (variable != nullptr && snapshot != nullptr) {
        Snapshot* old = variable->clock;
        variable->clock = thread.clock.Covers(old) ? Share(snapshot)
                                                   : Merge(arena, thread.blocks, *old, *snapshot);
        Drop(arena, thread.blocks, old);
      }
    }
    Tick(thread);
  }

  void Put(RaceThread& thread, uintptr_t channel, SyncAspect aspect, uintptr_t item,
           uint32_t limit) {
    Snapshot* snapshot = TakeSnapshot(thread);
    if (snapshot != nullptr) {
      SyncTable::Shard& shard = sync.ShardOf(channel);
      SpinLockHolder holder(shard.lock);
      SyncVariable* variable = sync.Find(shard, arena, thread.blocks, channel, aspect, true);
      if (variable != nullptr) {
        TellUser(thread, variable->channel);
        variable->channel.Put(arena, thread.blocks, item, Share(snapshot), limit);
      }
    }
    Tick(thread);
  }

  // The oldest item whatever it is, if `any`.
  void Take(RaceThread& thread, uintptr_t channel, SyncAspect aspect, uintptr_t item, bool any) {
    Snapshot* clock = nullptr;
    Snapshot* merged = nullptr;
    {
      SyncTable::Shard& shard = sync.ShardOf(channel);
      SpinLockHolder holder(shard.lock);
      SyncVariable* variable = sync.Find(shard, arena, thread.blocks, channel, aspect, false);
      if (variable == nullptr) return;
      TellUser(thread, variable->channel);
      const Snapshot* every = nullptr;
      clock = any ? variable->channel.TakeOldest() : variable->channel.Take(item, &every);
      merged = Share(const_cast<Snapshot*>(every));
    }
    Learn(thread, clock);
    Learn(thread, merged);
    Drop(arena, thread.blocks, clock);
    Drop(arena, thread.blocks, merged);
  }

  // The thread uses a channel by itself, not as a part of a queue (Put and Take alone). Whether it
  // is the thread's own, a list of work: nobody else has ever used it, and the thread has taken out
  // what it put in kOwnTakes times. Such a channel keeps no items, only what the thread knows now,
  // for whoever comes after all; a put begins no epoch, which would make the thread look at all its
  // variables afresh.
  bool UseOwn(RaceThread& thread, uintptr_t channel, SyncAspect aspect, bool takes) {
    Snapshot* snapshot = TakeSnapshot(thread);
    SyncTable::Shard& shard = sync.ShardOf(channel);
    SpinLockHolder holder(shard.lock);
    SyncVariable* variable = sync.Find(shard, arena, thread.blocks, channel, aspect, true);
    if (variable == nullptr || snapshot == nullptr) return false;
    Channel& own = variable->channel;
    if (own.user == Channel::kNobody) {
      own.user = thread.id;
      own.user_slot = thread.slot;
    }
    TellUser(thread, own);
    if (own.user != thread.id) return false;
    if (takes && own.takes < Channel::kOwnTakes) ++own.takes;
    if (own.takes < Channel::kOwnTakes) return false;
    own.KeepOnly(arena, thread.blocks, Share(snapshot));
    return true;
  }

  uint32_t ItemsIn(RaceThread& thread, uintptr_t channel, SyncAspect aspect) {
    SyncTable::Shard& shard = sync.ShardOf(channel);
    SpinLockHolder holder(shard.lock);
    SyncVariable* variable = sync.Find(shard, arena, thread.blocks, channel, aspect, false);
    return variable == nullptr ? 0 : variable->channel.size();
  }

  // --- Accesses.

  struct Request {
    AccessKind kind;
    uint8_t operation;
    // Who reads the variable is after who wrote it: elements of containers.
    bool carries;
    // After a race the thread is ordered after the earlier access. Not where races do no harm: they
    // would hide those that do.
    bool learns;
    uint16_t lock_set;
    uint16_t offset;
    uint32_t node;
  };

  static Access MakeAccess(const RaceThread& thread, const Request& request) {
    return {thread.clock.at(thread.slot),
            static_cast<uint16_t>(thread.slot),
            request.operation,
            request.kind,
            request.node,
            request.offset,
            request.lock_set};
  }

  // Checks an access to all elements at once against the history of each; nothing is remembered:
  // that is the matter of kOrderKey and kValuesKey. True for a race, with one of the earlier
  // accesses. A thread that has checked a read does so again only when another one has written an
  // element since: each step of an iteration may begin a new epoch. REQUIRES: as Check.
  bool CheckElements(RaceThread& thread, Shadow& shadow, const Request& request, Access* earlier) {
    const bool reads = request.kind == AccessKind::kRead;
    if (reads && HasChecked(thread, shadow)) return false;
    bool found = false;
    const Snapshot* learned = nullptr;
    shadow.ForEachVariable([&](Variable& variable) {
      if (variable.key <= kValuesKey) return;
      const Access* race = FindRace(thread, variable, request.kind);
      if (race != nullptr) {
        if (!found) *earlier = *race;
        found = true;
        if (request.learns) {
          variable.set_raced();
          TellApart(race->slot);
        }
      }
      const bool learns = (race != nullptr && request.learns) ||
                          (request.carries && request.kind == AccessKind::kRead);
      if (learns && variable.snapshot() != learned) {
        learned = variable.snapshot();
        Learn(thread, learned);
      }
    });
    if (reads && !found) {
      if (shadow.elements_stamp == 0) shadow.elements_stamp = NewStamp(thread);
      RememberChecked(thread, shadow);
    }
    return found;
  }

  // The thread has written an element: others that have checked all must do so again. REQUIRES: as
  // Check.
  void ElementWritten(RaceThread& thread, Shadow& shadow) {
    if (shadow.elements_stamp == 0) return;
    const bool checked = HasChecked(thread, shadow);
    shadow.elements_stamp = NewStamp(thread);
    if (checked) RememberChecked(thread, shadow);
  }

  // Checks the access against the variable's history and adds it. True for a race, with the earlier
  // access. REQUIRES: the lock of the variable's shard is held.
  bool Check(RaceThread& thread, Variable& variable, const Request& request, Access* earlier) {
    if (IsRemembered(thread, variable, request.kind)) return false;
    const Access* race = FindRace(thread, variable, request.kind);
    if (race != nullptr) {
      *earlier = *race;
      if (request.learns) variable.set_raced();
    }
    const bool learns = ((race != nullptr || variable.raced()) && request.learns) ||
                        (request.carries && request.kind == AccessKind::kRead);
    if (learns) Learn(thread, variable.snapshot());
    Remember(thread, variable, request);
    if (race != nullptr && request.learns) TellApart(earlier->slot);
    return race != nullptr;
  }

  // Whether another thread is known to have touched the variable.
  static bool IsContended(const RaceThread& thread, const Variable& variable) {
    bool contended = false;
    const auto look = [&](const Access& access) { contended |= access.slot != thread.slot; };
    variable.writes.ForEach(look);
    variable.reads.ForEach(look);
    return contended;
  }

  // A container whose keys come and go would keep a history of every key that it ever had. Where
  // most are of keys that it has no more, those are dropped whose accesses the thread all knows:
  // what was done under a lock. Who does not know them, and uses such a key, goes unseen; who gets
  // such an element is after all of them. REQUIRES: the lock of the shadow's shard is held.
  void DropPast(RaceThread& thread, Shadow& shadow, uint64_t keys) {
    if (shadow.keyed() > 4 * keys) {
      const auto any = [](const Access&) { return true; };
      shadow.DropKeyed(arena, thread.blocks, [&](const Variable& variable) {
        return variable.key > kValuesKey && !variable.raced() &&
               variable.writes.FindUnordered(thread.clock, any) == nullptr &&
               variable.reads.FindUnordered(thread.clock, any) == nullptr;
      });
      if (Snapshot* now = TakeSnapshot(thread)) {
        Snapshot* old = shadow.past;
        shadow.past =
            thread.clock.Covers(old) ? Share(now) : Merge(arena, thread.blocks, *old, *now);
        Drop(arena, thread.blocks, old);
      }
    }
    shadow.look_over_at = std::max(kLeastLookOver, 2 * shadow.keyed());
  }

  // The thread is after who wrote the variable last, if there is such a variable.
  void LearnPublished(RaceThread& thread, Shadow& shadow, uint64_t key) {
    if (const Variable* variable = shadow.FindExisting(key)) Learn(thread, variable->snapshot());
  }

  // The thread is after the writes that DropPast has dropped. After the checks: what it learns here
  // must not hide a race.
  void LearnPast(RaceThread& thread, const Shadow& shadow) { Learn(thread, shadow.past); }
  // Only if the element has not been written since: others' reads do not count.
  void LearnPast(RaceThread& thread, const Shadow& shadow, uint64_t key) {
    if (shadow.past == nullptr) return;
    const Variable* variable = shadow.FindExisting(key);
    if (variable == nullptr || variable->snapshot() == nullptr) LearnPast(thread, shadow);
  }

  // The thread is after all that was done by the threads that have touched the object: they must
  // have dropped their references to it. REQUIRES: the lock of the shadow's shard is held.
  void LearnUsers(RaceThread& thread, Shadow& shadow) {
    const auto learn = [&](const Access& access) {
      if (access.slot != thread.slot) LearnPresent(thread, access.slot);
    };
    shadow.ForEachVariable([&](const Variable& variable) {
      variable.writes.ForEach(learn);
      variable.reads.ForEach(learn);
    });
  }

  // The thread's next accesses belong to another epoch than those so far.
  void Tick(RaceThread& thread) {
    const uint32_t clock = thread.clock.at(thread.slot) + 1;
    // Read by AdoptThread of other threads.
    __atomic_store_n(&thread.clock.clocks[thread.slot], clock, __ATOMIC_RELAXED);
    thread.epoch = uint64_t{thread.slot} << 32 | clock;
    DropSnapshot(thread);
  }

  void TickIfRequested(RaceThread& thread) {
    if (!thread.tick_requested.load(std::memory_order_relaxed)) [[likely]]
      return;
    thread.tick_requested.store(false, std::memory_order_relaxed);
    Tick(thread);
  }

  // --- Fork. No other thread is inside the detector between the two.
  void AcquireAllLocks() {
    pool_lock_.Acquire();
    registry.AcquireLocks();
    contexts.AcquireLocks();
    lock_sets.AcquireLocks();
    shadows.AcquireLocks();
    sync.AcquireLocks();
    arena.AcquireLocks();
  }
  void ReleaseAllLocks() {
    arena.ReleaseLocks();
    sync.ReleaseLocks();
    shadows.ReleaseLocks();
    lock_sets.ReleaseLocks();
    contexts.ReleaseLocks();
    registry.ReleaseLocks();
    pool_lock_.Release();
  }
  // In the child: what the threads that are gone did is in the past, unless not `ordered` (for
  // tests).
  void AfterForkInChild(RaceThread& thread, bool ordered = true) {
    registry.KeepOnly(thread.slot);
    for (uint32_t slot = 0; slot < registry.slot_count(); ++slot) {
      if (slot == thread.slot) continue;
      by_slot_[slot].store(nullptr, std::memory_order_relaxed);
      if (ordered) thread.clock.Set(slot, registry.ClockOf(slot));
    }
    Tick(thread);
  }

  Arena arena;
  ShadowTable shadows;
  SyncTable sync;
  CallingContexts contexts;
  LockSets lock_sets;
  ThreadRegistry registry;

 private:
  // Whether an access of the thread in this epoch stands for this one already: the history is the
  // access cache's second level.
  static bool IsRemembered(const RaceThread& thread, const Variable& variable, AccessKind kind) {
    const uint32_t clock = thread.clock.at(thread.slot);
    if (const Access* write = variable.writes.OnlyOf(thread.slot, clock)) {
      if (write->kind == AccessKind::kWrite || write->kind == kind) return true;
    }
    return kind == AccessKind::kRead && variable.reads.OnlyOf(thread.slot, clock) != nullptr;
  }

  [[gnu::always_inline]] const Access* FindRace(const RaceThread& thread, const Variable& variable,
                                                AccessKind kind) const {
    if (variable.writes.IsOneKnownTo(thread.clock) &&
        (kind == AccessKind::kRead || variable.reads.IsOneKnownTo(thread.clock))) [[likely]] {
      return nullptr;
    }
    return FindRaceAmongMany(thread, variable, kind);
  }

  [[gnu::noinline]] const Access* FindRaceAmongMany(const RaceThread& thread,
                                                    const Variable& variable,
                                                    AccessKind kind) const {
    switch (kind) {
      case AccessKind::kRead:
        return variable.writes.FindUnordered(thread.clock, [](const Access&) { return true; });
      case AccessKind::kCommute:
        if (const Access* write = variable.writes.FindUnordered(
                thread.clock,
                [](const Access& access) { return access.kind == AccessKind::kWrite; })) {
          return write;
        }
        break;
      case AccessKind::kWrite:
        if (const Access* write =
                variable.writes.FindUnordered(thread.clock, [](const Access&) { return true; })) {
          return write;
        }
        break;
    }
    return variable.reads.FindUnordered(thread.clock, [](const Access&) { return true; });
  }

  [[gnu::always_inline]] void Remember(RaceThread& thread, Variable& variable,
                                       const Request& request) {
    const Access access = MakeAccess(thread, request);
    if (request.kind == AccessKind::kRead) {
      variable.reads.Add(arena, thread.blocks, thread.clock, access);
      return;
    }
    // All reads are ordered before this write, or have been reported with it.
    if (request.kind == AccessKind::kWrite) {
      variable.reads.Clear(arena, thread.blocks);
      variable.writes.Set(arena, thread.blocks, access);
    } else {
      variable.writes.Add(arena, thread.blocks, thread.clock, access);
    }
    Snapshot* old = variable.snapshot();
    Snapshot* now = TakeSnapshot(thread);
    if (now == nullptr) return;
    // Writes that commute: who reads is after all of them.
    variable.set_snapshot(request.kind == AccessKind::kWrite || thread.clock.Covers(old)
                              ? Share(now)
                              : Merge(arena, thread.blocks, *old, *now));
    Drop(arena, thread.blocks, old);
  }

  // All that the slot's thread did until now; not what it knows of others.
  void LearnPresent(RaceThread& thread, uint32_t slot) {
    RaceThread* other = by_slot_[slot].load(std::memory_order_acquire);
    const uint32_t clock = other != nullptr
                               ? __atomic_load_n(&other->clock.clocks[slot], __ATOMIC_RELAXED)
                               : registry.ClockOf(slot);
    if (clock <= thread.clock.at(slot)) return;
    thread.clock.Set(slot, clock);
    ++thread.knowledge;
    DropSnapshot(thread);
    if (other != nullptr) TellApart(slot);
  }

  // The thread uses the channel: it is nobody else's own any more. REQUIRES: its shard is locked.
  void TellUser(RaceThread& thread, Channel& channel) {
    if (channel.user == thread.id || channel.user == Channel::kSeveral) return;
    if (channel.user != Channel::kNobody) TellApart(channel.user_slot);
    channel.user = Channel::kSeveral;
  }

  void TellApart(uint32_t slot) {
    RaceThread* other = by_slot_[slot].load(std::memory_order_acquire);
    if (other == nullptr) return;
    other->tick_requested.store(true, std::memory_order_relaxed);
    other->salt.fetch_add(0x9e3779b97f4a7c15ULL, std::memory_order_relaxed);
  }

  void Learn(RaceThread& thread, const Snapshot* clock) {
    if (clock == nullptr || clock == thread.snapshot) return;
    if (!thread.clock.Join(clock)) return;
    ++thread.knowledge;
    DropSnapshot(thread);
  }

  static uint64_t NewStamp(RaceThread& thread) {
    return uint64_t{thread.id} << 32 | ++thread.stamps;
  }
  // Kept in the access cache, whose entries are hashes: of the stamp and who has checked.
  static uint64_t CheckedPlace(const RaceThread& thread, const Shadow& shadow) {
    return Mix(shadow.elements_stamp * 0x9e3779b97f4a7c15ULL + thread.id) * 0xff51afd7ed558ccdULL;
  }
  static bool HasChecked(RaceThread& thread, const Shadow& shadow) {
    if (shadow.elements_stamp == 0) return false;
    const uint64_t place = CheckedPlace(thread, shadow);
    return thread.cache.At(place).tag_and_kinds == (place & ~kAccessKinds);
  }
  static void RememberChecked(RaceThread& thread, const Shadow& shadow) {
    const uint64_t place = CheckedPlace(thread, shadow);
    thread.cache.At(place).tag_and_kinds = place & ~kAccessKinds;
  }

  // Of the thread's clock as it is; without a reference for the caller. nullptr without memory.
  Snapshot* TakeSnapshot(RaceThread& thread) {
    if (thread.snapshot == nullptr) [[unlikely]]
      thread.snapshot = thread.clock.Take(arena, thread.blocks);
    return thread.snapshot;
  }
  void DropSnapshot(RaceThread& thread) {
    if (thread.snapshot == nullptr) return;
    Drop(arena, thread.blocks, thread.snapshot);
    thread.snapshot = nullptr;
  }

  RaceThread* TakeFromPool(const ThreadRegistry::Place& place) {
    if (place.id == 0) return nullptr;
    RaceThread* thread;
    {
      SpinLockHolder holder(pool_lock_);
      thread = pool_;
      if (thread != nullptr) pool_ = thread->next_in_pool;
    }
    // A used one keeps its caches (see AccessCache) and the memory of its frames.
    if (thread == nullptr) {
      BlockCache blocks = {};
      void* memory = arena.Allocate(blocks, sizeof(RaceThread));
      if (memory == nullptr) return nullptr;
      thread = new (memory) RaceThread;
      arena.Drain(blocks);
    } else {
      ResetUsed(*thread);
    }
    thread->id = place.id;
    thread->slot = place.slot;
    thread->test = registry.TestAt(place.slot, place.clock);
    thread->clock.Set(place.slot, place.clock);
    thread->epoch = uint64_t{place.slot} << 32 | place.clock;
    by_slot_[place.slot].store(thread, std::memory_order_release);
    return thread;
  }

  static void ResetUsed(RaceThread& thread) {
    memset(thread.clock.clocks, 0, thread.clock.size * sizeof(uint32_t));
    thread.clock.size = 0;
    thread.salt.store(0, std::memory_order_relaxed);
    thread.tick_requested.store(false, std::memory_order_relaxed);
    thread.busy = 0;
    thread.name_taken = false;
    thread.look_away_depth = 0;
    thread.attribute_depth = 0;
    thread.stored_in = nullptr;
    thread.promise = 0;
    thread.promise_name = nullptr;
    thread.frame_count = 0;
    thread.held = HeldLocks();
    thread.snapshot = nullptr;
  }

  static constexpr uint32_t kLeastLookOver = 1024;
  std::atomic<RaceThread*> by_slot_[kMaxSlots] = {};
  SpinLock pool_lock_;
  RaceThread* pool_ = nullptr;
};

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_DETECTOR_H_
