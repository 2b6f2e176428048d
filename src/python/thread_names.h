// ThreadNames finds the names that `threading` gave to its threads:
// sys.modules["threading"]._active and its Thread objects' `_name`.
//
// Lifetime: borrows memory and offsets. Thread safety: as ProcessMemory.
#ifndef FTHREADPROF_PYTHON_THREAD_NAMES_H_
#define FTHREADPROF_PYTHON_THREAD_NAMES_H_

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "process/process_memory.h"
#include "python/debug_offsets.h"
#include "python/object_reader.h"

namespace fthreadprof {

struct InterpreterStateTag;  // a PyInterpreterState in the target
using InterpreterPtr = RemotePtr<InterpreterStateTag>;

class ThreadNames {
 public:
  // REQUIRES: both outlive this object.
  ThreadNames(ProcessMemory& memory, const DebugOffsets& offsets)
      : memory_(memory), offsets_(offsets), objects_(memory, offsets) {}

  // Names by thread ident (PyThreadState.thread_id). Empty when the interpreter has not imported
  // threading. Entries that do not hold together are left out. Fails only when the process is gone
  // or the dict itself cannot be read (kDataLoss: try again). Cheap when called often: the address
  // of `_active` is remembered and rechecked, and a Thread object seen before (same ident, object
  // and name pointer) is not read again.
  absl::StatusOr<absl::flat_hash_map<uint64_t, std::string>> Read(InterpreterPtr interpreter);

 private:
  // A Thread object whose name is known. Its attributes lie in one struct _dictvalues, so that
  // three pieces of memory (that, the int and the str) tell whether ident and name are still the
  // same.
  struct Known {
    uint64_t ident;
    ObjectPtr ident_object;
    ObjectPtr name_object;
    InlineSlot ident_slot;
    InlineSlot name_slot;
    std::string name;  // ASCII: compared with the bytes of name_object
  };
  struct Check;
  using KnownThreads = absl::flat_hash_map<ObjectPtr, Known>;

  absl::StatusOr<absl::flat_hash_map<uint64_t, std::string>> ReadOnce(InterpreterPtr interpreter);
  // The dict `_active`, null when threading is not imported.
  absl::StatusOr<ObjectPtr> FindActive(InterpreterPtr interpreter);
  // The entries whose Thread object is known and has not changed, by the index in `entries`.
  absl::StatusOr<std::vector<bool>> FindUnchanged(std::span<const DictEntry> entries);
  // Reads one entry from scratch. Fails with kDataLoss when it does not hold together.
  absl::StatusOr<std::pair<uint64_t, std::string>> ReadEntry(const DictEntry& entry);
  static Check MakeCheck(const Known& known, const DebugOffsets& offsets);
  static bool IsUnchanged(const Check& check, const DebugOffsets& offsets);
  // A Thread object's attributes `_ident` and `_name`; `slots` are theirs, or none.
  struct Attributes {
    ObjectPtr ident;
    ObjectPtr name;
    bool inlined = false;
    bool operator==(const Attributes&) const = default;
  };
  absl::StatusOr<Attributes> ReadAttributes(ObjectPtr thread, std::span<const InlineSlot> slots);

  ProcessMemory& memory_;
  const DebugOffsets& offsets_;
  ObjectReader objects_;

  // Where `_active` was found: under this sys.modules, and how often it may be used before it is
  // looked up anew (a reload of threading binds it to another dict).
  InterpreterPtr interpreter_;
  ObjectPtr modules_;
  ObjectPtr active_;
  int uses_left_ = 0;
  KnownThreads known_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_THREAD_NAMES_H_
