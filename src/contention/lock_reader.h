// LockReader says which of CPython's own locks a thread is parked on, from the target's memory
// alone.
//
// CPython's locks park a thread in a futex: its word is the semaphore inside struct wait_entry
// {void* park_arg; uintptr_t addr; _PySemaphore sema; ...} on the thread's own stack, so that the
// address of what it waits for is in the 8 bytes before the word; Python/parking_lot.c, the same in
// 3.13 to 3.15. What lies at that address tells what it is.
//
// The RLock of 3.13, and the Lock of its first releases, is a semaphore that says nothing of
// itself. While a thread waits for it, the lock is on the evaluation stack of its frame, and points
// at it.
//
// A PyMutex is tried for some microseconds before a thread parks (free-threaded builds): waits that
// are shorter are not seen.
//
// Lifetime: borrows memory and offsets. Thread safety: none.
#ifndef FTHREADPROF_CONTENTION_LOCK_READER_H_
#define FTHREADPROF_CONTENTION_LOCK_READER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "process/os_thread.h"
#include "process/process_memory.h"
#include "profile/lock_waits.h"
#include "python/debug_offsets.h"
#include "python/interpreter_reader.h"

namespace fthreadprof {

struct ParkedOn {
  enum class Kind {
    kNothing,  // no lock, as far as can be told
    kStopped,  // a stop-the-world keeps it from running
    kLock,     // a threading.Lock
    kRLock,    // a threading.RLock
    kObject,   // the lock that each object of a free-threaded build has
    kNative,   // a futex that is none of CPython's
    kQueue,    // no lock: a queue.SimpleQueue that is empty
  };
  Kind kind = Kind::kNothing;
  uint64_t address = 0;  // of the Lock, the RLock, the object, or the futex
  std::string type;      // of the object: its tp_name, UTF-8
};

// The profile's word for what is parked on; nothing when it is no lock.
std::optional<LockKind> LockKindOf(const ParkedOn& parked);

class LockReader {
 public:
  // REQUIRES: memory and offsets outlive the reader.
  LockReader(ProcessMemory& memory, const DebugOffsets& offsets)
      : memory_(memory), offsets_(offsets) {}

  // What `thread`, which is in the system call `activity`, is parked on. Memory that can't be read
  // is kNothing.
  ParkedOn Read(const KernelActivity& activity, const PythonThread& thread);

 private:
  struct Type {
    bool valid = false;
    bool is_heap_type = false;
    std::string name;
  };

  ParkedOn Identify(uint64_t address);
  ParkedOn IdentifyLock(uint64_t object);
  ParkedOn IdentifySemaphore(uint64_t semaphore, const EvaluationStack& stack);
  // One of 3.13's that was taken from C code can't be told from a lock of native code.
  bool KnowsAllLocks() const { return offsets_.minor() >= 14; }
  // Valid until the next call.
  const Type& TypeOf(uint64_t object);
  absl::StatusOr<Type> ReadType(uint64_t address);

  ProcessMemory& memory_;
  const DebugOffsets& offsets_;
  absl::flat_hash_map<uint64_t, Type> types_;  // static ones, by address
  Type last_;                                  // else
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_CONTENTION_LOCK_READER_H_
