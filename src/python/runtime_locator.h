// FindPythonRuntime finds CPython in a process: the address of `_PyRuntime` and its table of
// offsets.
#ifndef FTHREADPROF_PYTHON_RUNTIME_LOCATOR_H_
#define FTHREADPROF_PYTHON_RUNTIME_LOCATOR_H_

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "process/process_memory.h"
#include "python/debug_offsets.h"

namespace fthreadprof {

struct RuntimeTag;  // _PyRuntimeState in the target

struct PythonRuntime {
  RemotePtr<RuntimeTag> address;
  DebugOffsets offsets;
};

// Looks in the ELF files that `pid` has mapped for the section .PyRuntime (3.13 and later, also in
// stripped files); where a file can't be opened (deleted since, or in a mount namespace we can't
// see) in its writable memory for the table's cookie.
//
// Fails with kNotFound: there is no such process (or it ended); kPermissionDenied: it may not be
// read; kFailedPrecondition: it runs no Python, as far as can be seen; kUnimplemented: a Python, or
// a machine, that is not supported; the messages are for people.
absl::StatusOr<PythonRuntime> FindPythonRuntime(pid_t pid, ProcessMemory& memory);

// The address of asyncio's table of offsets (AsyncioLayout), in the section .AsyncioDebug of the
// module _asyncio or of the executable that has it built in: 3.14 and later. Fails with kNotFound:
// _asyncio is not loaded; kUnavailable: its file can't be opened, or has no such table. The message
// is for people.
absl::StatusOr<uint64_t> FindAsyncioTable(pid_t pid);

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_RUNTIME_LOCATOR_H_
