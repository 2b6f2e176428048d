// ProcessDump is what `fthreadprof dump` shows: every thread of a process and its stack, once.
//
// Lifetime: a plain value. Thread safety: as any.
#ifndef FTHREADPROF_DUMP_PROCESS_DUMP_H_
#define FTHREADPROF_DUMP_PROCESS_DUMP_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "contention/lock_reader.h"
#include "profile/gil_cause.h"
#include "profile/thread_state.h"
#include "python/interpreter_reader.h"
#include "python/local_variables.h"

namespace fthreadprof {

struct DumpedFrame {
  std::string function;
  std::string file;
  int line = 0;  // 0: not known
  // Nothing: not asked for, or the frame changed while they were read.
  std::optional<std::vector<LocalVariable>> locals{};
};

struct DumpedThread {
  pid_t tid = 0;  // in our pid namespace
  uint64_t ident = 0;
  int64_t interpreter = 0;  // its id, 0 for the main one
  std::string name;
  ThreadState state = ThreadState::kOther;
  bool has_gil = false;
  // What it waits for, in the states kLockWait and kNativeLock.
  ParkedOn waits_for{};
  // Who has the lock, or the GIL, that it waits for; 0: not known.
  pid_t held_by = 0;
  PythonThread::Stack stack = PythonThread::Stack::kEmpty;  // never kEnded
  std::vector<DumpedFrame> frames{};                        // innermost first
};

struct ProcessDump {
  pid_t pid = 0;
  std::string executable;
  std::string command;
  std::string python;  // "3.13.5"
  bool free_threaded = false;
  bool gil_enabled = true;              // for good, not for the moment of an import
  std::optional<GilCause> gil_cause{};  // of a free-threaded build whose GIL is on
  bool with_locals = false;
  bool with_values = false;
  std::vector<DumpedThread> threads{};  // by tid
};

// The threads that wait for each other's locks in a circle, and so for ever: their ids, each
// waiting for the next one, the last one for the first.
std::vector<std::vector<pid_t>> DeadlocksIn(const ProcessDump& dump);

}  // namespace fthreadprof

#endif  // FTHREADPROF_DUMP_PROCESS_DUMP_H_
