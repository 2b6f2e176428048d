// Whether PYTHON_GIL=1 or -X gil=1 turned the GIL of a free-threaded target on: sys.flags.gil.
//
// Thread safety: as ProcessMemory.
#ifndef FTHREADPROF_PYTHON_GIL_OPTION_H_
#define FTHREADPROF_PYTHON_GIL_OPTION_H_

#include "absl/status/statusor.h"
#include "process/process_memory.h"
#include "python/debug_offsets.h"
#include "python/thread_names.h"

namespace fthreadprof {

// Fails with kUnavailable when sys.flags is not there yet, kDataLoss when it cannot be read (try
// again), kNotFound when the process is gone.
absl::StatusOr<bool> IsGilForcedOn(ProcessMemory& memory, const DebugOffsets& offsets,
                                   InterpreterPtr interpreter);

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_GIL_OPTION_H_
