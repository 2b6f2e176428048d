// LockWaits sums the samples of threads that wait for locks, by lock, by stack, and by the stack of
// who held it.
//
// Lifetime: owns all it holds. Thread safety: none. Memory: bounded; what is beyond it is counted
// for its lock only.
#ifndef FTHREADPROF_PROFILE_LOCK_WAITS_H_
#define FTHREADPROF_PROFILE_LOCK_WAITS_H_

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "profile/sample_codec.h"

namespace fthreadprof {

enum class LockKind : uint8_t {
  kObject,  // the lock that each object of a free-threaded build has
  kLock,    // threading.Lock
  kRLock,   // threading.RLock
  kNative,  // of native code
};

inline constexpr size_t kLockKindCount = 4;

// "object", "lock", ...; static storage.
const char* LockKindName(LockKind kind);

// A lock that some thread waited for. Its memory may have become another lock's later.
struct WaitedLock {
  uint32_t process = 0;  // ProcessIndex
  LockKind kind = LockKind::kLock;
  std::string type{};    // the object's type, UTF-8; "" for a native lock
  uint64_t address = 0;  // of the object, or of the futex

  friend bool operator==(const WaitedLock&, const WaitedLock&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const WaitedLock& lock) {
    return H::combine(std::move(h), lock.process, lock.kind, lock.type, lock.address);
  }
};

class LockWaits {
 public:
  struct Stack {
    uint32_t stack = 0;   // StackId of a waiter
    uint32_t holder = 0;  // StackId of who held the lock meanwhile; kEmptyStack: not known
    uint64_t samples = 0;

    friend bool operator==(const Stack&, const Stack&) = default;
  };
  struct Lock {
    uint32_t lock = 0;  // LockId
    uint64_t samples = 0;
    size_t waiters = 0;           // threads
    std::vector<Stack> stacks{};  // by waiter and holder, the longest wait first

    friend bool operator==(const Lock&, const Lock&) = default;
  };

  // Counts a sample that has a lock.
  void Add(const LoggedSample& sample);
  // The longest wait first.
  std::vector<Lock> Table() const;

 private:
  absl::flat_hash_map<uint32_t, uint64_t> samples_;  // by lock
  absl::flat_hash_set<uint64_t> waiters_;            // lock << 32 | thread
  absl::flat_hash_map<std::array<uint32_t, 3>, uint64_t> stacks_;  // by lock, waiter and holder
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROFILE_LOCK_WAITS_H_
