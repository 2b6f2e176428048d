// ProcessDumper looks at a process once, or a few times until no thread's stack is torn.
//
// The process runs on meanwhile unless it is to be stopped: then the threads' stacks, and the
// values of variables, are those of one moment. It is never written to.
//
// Lifetime: borrows the process and its memory. Thread safety: none.
#ifndef FTHREADPROF_DUMP_PROCESS_DUMPER_H_
#define FTHREADPROF_DUMP_PROCESS_DUMPER_H_

#include <optional>

#include "absl/status/statusor.h"
#include "contention/thread_activity.h"
#include "dump/process_dump.h"
#include "process/os_process.h"
#include "process/process_memory.h"
#include "python/runtime_locator.h"

namespace fthreadprof {

struct DumpOptions {
  bool locals = false;
  bool values = true;     // of locals
  bool blocking = false;  // stop the process for as long as it takes
};

class ProcessDumper {
 public:
  // REQUIRES: process and memory outlive the dumper.
  ProcessDumper(OsProcess& process, ProcessMemory& memory, const DumpOptions& options)
      : process_(process), memory_(memory), options_(options) {}

  // Fails with kNotFound (the process is gone), kUnavailable (its Python starts or ends),
  // kPermissionDenied, kAborted (it can't be stopped), kDataLoss.
  absl::StatusOr<ProcessDump> Dump(const PythonRuntime& runtime);

 private:
  // A dump, and how much of it could not be read: torn stacks and frames without their variables.
  struct Attempt {
    ProcessDump dump;
    size_t gaps = 0;
  };

  absl::StatusOr<Attempt> TakeAttempt(InterpreterReader& reader);
  absl::Status ReadThreads(InterpreterReader& reader, Attempt& attempt);
  DumpedThread ReadThread(const InterpreterReader& reader, const PythonThread& thread,
                          ThreadActivity& activity);
  void FindHolders(InterpreterReader& reader, ProcessDump& dump);
  void NameThreads(const InterpreterReader& reader, ProcessDump& dump);
  std::optional<GilCause> FindGilCause(const InterpreterReader& reader);
  size_t AddFrames(const InterpreterReader& reader, const PythonThread& thread,
                   LocalsReader& locals, DumpedThread& dumped);
  bool HasGil(const InterpreterReader& reader, const PythonThread& thread);

  OsProcess& process_;
  ProcessMemory& memory_;
  const DumpOptions options_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_DUMP_PROCESS_DUMPER_H_
