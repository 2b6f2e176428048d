// ThreadNames finds the names that `threading` gave to its threads: sys.modules["threading"]._active
// and its Thread objects' `_name`.
//
// Lifetime: borrows memory and offsets. Thread safety: as ProcessMemory.
#ifndef FTHREADPROF_PYTHON_THREAD_NAMES_H_
#define FTHREADPROF_PYTHON_THREAD_NAMES_H_

#include <cstdint>
#include <string>

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
  // threading. Entries that do not hold together are left out. Fails only when the process is gone or
  // the dict itself cannot be read (kDataLoss: try again).
  // Cheap when called often: the address of `_active` is remembered and rechecked, and a Thread object
  // seen before (same ident, object and name pointer) is not read again.
  absl::StatusOr<absl::flat_hash_map<uint64_t, std::string>> Read(InterpreterPtr interpreter);

 private:
  ProcessMemory& memory_;
  const DebugOffsets& offsets_;
  ObjectReader objects_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_THREAD_NAMES_H_
