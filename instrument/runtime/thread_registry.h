// ThreadRegistry: which thread had which slot of the clocks when, and what is known of each thread.
//
// A slot is given to a new thread only if its last user's end is known to the starter's clock; the
// slot's clock goes on counting. Only when all kMaxSlots are taken by threads that nobody joined is
// the slot of the thread that ended first taken regardless: races of that thread are lost then,
// none is invented.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_THREAD_REGISTRY_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_THREAD_REGISTRY_H_

#include <sys/mman.h>

#include <cstdint>

#include "arena.h"
#include "race_thread.h"
#include "spin_lock.h"
#include "vector_clock.h"

namespace fthreadprof::race {

struct ThreadRecord {
  uint64_t native_id;
  uint32_t starter;       // id of the thread that started it; 0: not known
  uint32_t location;      // of that start
  uint64_t perturbation;  // what its Perturbation begins with
  bool logged;
  char name[83];  // UTF-8, "" when not known
};

class ThreadRegistry {
 public:
  static constexpr uint32_t kMaxThreads = 1 << 22;

  bool Init() {
    void* memory = mmap(nullptr, kMaxThreads * sizeof(ThreadRecord), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return false;
    records_ = static_cast<ThreadRecord*>(memory);
    return true;
  }

  struct Place {
    uint32_t id = 0;  // 0: no room, the thread is not tracked
    uint32_t slot = 0;
    uint32_t clock = 0;  // its first
    uint32_t test = 0;   // that it runs
  };

  // For a thread whose starter knows `known`; nullptr: nobody is known to have started it.
  Place Add(Arena& arena, BlockCache& cache, const VectorClock* known, uint32_t starter,
            uint32_t location, uint32_t test) {
    SpinLockHolder holder(lock_);
    Place place;
    if (thread_count_ + 1 == kMaxThreads) return place;
    const int slot = FindSlot(known);
    if (slot < 0) return place;
    Slot& s = slots_[slot];
    place.id = ++thread_count_;
    place.slot = static_cast<uint32_t>(slot);
    place.clock = s.clock + 1;
    place.test = test;
    if (!Remember(arena, cache, s, place)) return Place{};
    s.clock = place.clock;
    s.live = true;
    records_[place.id] = ThreadRecord{0, starter, location, 0, false, {}};
    return place;
  }

  void End(uint32_t slot, uint32_t final_clock) {
    SpinLockHolder holder(lock_);
    slots_[slot].clock = final_clock;
    slots_[slot].live = false;
    slots_[slot].ended = ++ended_count_;
  }

  // From place.clock on the slot's thread runs another test.
  void SetTest(Arena& arena, BlockCache& cache, const Place& place) {
    SpinLockHolder holder(lock_);
    Remember(arena, cache, slots_[place.slot], place);
  }

  // The thread that had the slot at that clock; 0: not known.
  uint32_t ThreadAt(uint32_t slot, uint32_t clock) { return UserAt(slot, clock).id; }
  // The test that it ran then; 0: none.
  uint32_t TestAt(uint32_t slot, uint32_t clock) { return UserAt(slot, clock).test; }

  ThreadRecord& record(uint32_t id) { return records_[id]; }
  uint32_t thread_count() const { return thread_count_; }
  void AcquireLocks() { lock_.Acquire(); }
  void ReleaseLocks() { lock_.Release(); }

  // In the child of a fork: all threads but one are gone.
  void KeepOnly(uint32_t slot) {
    for (uint32_t i = 0; i < slot_count_; ++i) {
      if (i == slot || !slots_[i].live) continue;
      slots_[i].live = false;
      slots_[i].ended = ++ended_count_;
      slots_[i].clock += kForkGap;
    }
  }
  // How far the clock of a thread that did not come along may have been from what we know of it.
  static constexpr uint32_t kForkGap = 1 << 24;
  uint32_t slot_count() const { return slot_count_; }
  uint32_t ClockOf(uint32_t slot) const { return slots_[slot].clock; }

 private:
  // A thread, while it ran one test.
  struct User {
    uint32_t first_clock;
    uint32_t id;
    uint32_t test;
  };
  struct Slot {
    uint32_t clock = 0;  // of the last user, when it began or has ended
    bool live = false;
    uint64_t ended = 0;  // when, in the order of all ends
    User* users = nullptr;
    uint32_t user_count = 0;
    uint32_t user_capacity = 0;
  };

  User UserAt(uint32_t slot, uint32_t clock) {
    SpinLockHolder holder(lock_);
    const Slot& s = slots_[slot];
    for (uint32_t i = s.user_count; i-- > 0;) {
      if (s.users[i].first_clock <= clock) return s.users[i];
    }
    return {};
  }

  int FindSlot(const VectorClock* known) {
    int longest_ended = -1;
    for (uint32_t i = 0; i < slot_count_; ++i) {
      if (slots_[i].live) continue;
      if (known != nullptr && slots_[i].clock <= known->at(i)) return static_cast<int>(i);
      if (longest_ended < 0 || slots_[i].ended < slots_[longest_ended].ended) {
        longest_ended = static_cast<int>(i);
      }
    }
    if (slot_count_ < kMaxSlots) return static_cast<int>(slot_count_++);
    return longest_ended;
  }

  static bool Remember(Arena& arena, BlockCache& cache, Slot& slot, const Place& place) {
    if (slot.user_count == slot.user_capacity) {
      const uint32_t capacity = slot.user_capacity == 0 ? 4 : 2 * slot.user_capacity;
      auto* users = static_cast<User*>(arena.Allocate(cache, capacity * sizeof(User)));
      if (users == nullptr) return false;
      if (slot.users != nullptr) {
        memcpy(users, slot.users, slot.user_count * sizeof(User));
        arena.Free(cache, slot.users, slot.user_capacity * sizeof(User));
      }
      slot.users = users;
      slot.user_capacity = capacity;
    }
    slot.users[slot.user_count++] = {place.clock, place.id, place.test};
    return true;
  }

  SpinLock lock_;
  Slot slots_[kMaxSlots];
  uint32_t slot_count_ = 0;
  uint32_t thread_count_ = 0;
  uint64_t ended_count_ = 0;
  ThreadRecord* records_ = nullptr;
};

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_THREAD_REGISTRY_H_
