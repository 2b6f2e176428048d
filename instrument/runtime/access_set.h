// Access: who did what to a variable, and where. AccessSet: the last accesses of a kind that are
// not ordered among themselves: nearly always one, so one is stored in place.
//
// Naive model: keep every access with a copy of its thread's clock; an access races with an earlier
// conflicting one whose thread's clock at that time it does not know. Kept instead: of each thread
// the last access, and only those that no later access in the set is ordered after; one that is
// left out is ordered before one that is kept, so whoever races with it races with the kept one, or
// is a second report of the same variable. tests/unit/runtime compares both on random histories.
//
// Protected by the lock of the shadow's shard.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_ACCESS_SET_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_ACCESS_SET_H_

#include <cstdint>
#include <cstring>

#include "arena.h"
#include "vector_clock.h"

namespace fthreadprof::race {

// A bit each: the access cache keeps sets of them.
enum class AccessKind : uint8_t {
  kRead = 1,
  kCommute = 2,  // a write that conflicts with reads and writes, not with others of its kind
  kWrite = 4,
};

struct Access {
  uint32_t clock;  // of its thread; 0: no access
  uint16_t slot;
  uint8_t operation;  // FTP_RACE_OPERATIONS
  AccessKind kind;
  uint32_t node;      // CallingContexts: the function as called
  uint16_t offset;    // of the instruction in its code; 0xffff: that or beyond
  uint16_t lock_set;  // LockSets
};
static_assert(sizeof(Access) == 16);

class AccessSet {
 public:
  bool empty() const { return one_.clock == 0 && one_.slot != kMany; }

  // Whether there is one access at most, and `clock` knows it: so it is nearly always.
  [[gnu::always_inline]] bool IsOneKnownTo(const VectorClock& clock) const {
    return one_.slot != kMany && one_.clock <= clock.at(one_.slot);
  }

  // The first access that `clock` does not know and that `conflicts` wants; nullptr if none.
  template <typename Predicate>
  const Access* FindUnordered(const VectorClock& clock, Predicate conflicts) const {
    const Access* const end = last();
    for (const Access* access = first(); access != end; ++access) {
      if (access->clock > clock.at(access->slot) && conflicts(*access)) return access;
    }
    return nullptr;
  }

  // The access, if there is but one and it is of that thread and clock.
  const Access* OnlyOf(uint32_t slot, uint32_t clock) const {
    return one_.slot == slot && one_.clock == clock ? &one_ : nullptr;
  }

  template <typename Function>
  void ForEach(Function function) const {
    for (const Access* access = first(); access != last(); ++access) function(*access);
  }

  // Adds an access of a thread whose clock is given; drops those of its kind that it is ordered
  // after. A plain write stays beside a commuting one: who commutes with the latter races with the
  // former.
  [[gnu::always_inline]] void Add(Arena& arena, BlockCache& cache, const VectorClock& clock,
                                  const Access& access) {
    if (one_.slot != kMany && (one_.clock == 0 || StandsFor(access, one_, clock))) [[likely]] {
      one_ = access;
    } else {
      AddToMany(arena, cache, clock, access);
    }
  }

  void Set(Arena& arena, BlockCache& cache, const Access& access) {
    Clear(arena, cache);
    one_ = access;
  }

  void Clear(Arena& arena, BlockCache& cache) {
    if (one_.slot == kMany) [[unlikely]]
      arena.Free(cache, many(), Many::Bytes(many()->capacity));
    one_ = Access{};
  }

 private:
  static constexpr uint16_t kMany = 0xffff;
  struct Many {
    uint32_t size;
    uint32_t capacity;
    Access accesses[];
    static size_t Bytes(uint32_t capacity) { return sizeof(Many) + capacity * sizeof(Access); }
  };

  [[gnu::noinline]] void AddToMany(Arena& arena, BlockCache& cache, const VectorClock& clock,
                                   const Access& access) {
    if (one_.slot != kMany) {
      auto* many = static_cast<Many*>(arena.Allocate(cache, Many::Bytes(4)));
      if (many == nullptr) {  // forgets the older one
        one_ = access;
        return;
      }
      many->size = 1;
      many->capacity = 4;
      many->accesses[0] = one_;
      SetMany(many);
    }
    Many* many = this->many();
    uint32_t kept = 0;
    for (uint32_t i = 0; i < many->size; ++i) {
      const Access& old = many->accesses[i];
      if (!StandsFor(access, old, clock)) many->accesses[kept++] = old;
    }
    many->size = kept;
    if (kept == 0) {
      Set(arena, cache, access);
      return;
    }
    if (kept == many->capacity) {
      auto* larger = static_cast<Many*>(arena.Allocate(cache, Many::Bytes(2 * many->capacity)));
      if (larger == nullptr) {
        many->accesses[0] = access;
        return;
      }
      larger->size = kept;
      larger->capacity = 2 * many->capacity;
      memcpy(larger->accesses, many->accesses, kept * sizeof(Access));
      arena.Free(cache, many, Many::Bytes(many->capacity));
      SetMany(larger);
      many = larger;
    }
    many->accesses[many->size++] = access;
  }

  static bool StandsFor(const Access& access, const Access& old, const VectorClock& clock) {
    return old.kind == access.kind && (old.slot == access.slot || old.clock <= clock.at(old.slot));
  }

  Many* many() const {
    Many* many;
    memcpy(&many, &one_.node, sizeof many);
    return many;
  }
  void SetMany(Many* many) {
    one_ = Access{};
    one_.slot = kMany;
    memcpy(&one_.node, &many, sizeof many);
  }
  const Access* first() const { return one_.slot == kMany ? many()->accesses : &one_; }
  const Access* last() const {
    if (one_.slot == kMany) return many()->accesses + many()->size;
    return &one_ + (one_.clock != 0 ? 1 : 0);
  }

  // slot == kMany: the bytes from `node` on hold a Many*.
  Access one_{};
};
static_assert(sizeof(AccessSet) == 16);
static_assert(offsetof(Access, node) + sizeof(void*) == sizeof(Access));

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_ACCESS_SET_H_
