// GilWatch watches the GIL of a free-threaded process: is it off, and if not, which import turned
// it on? It looks often, at nothing but the GIL while nothing is imported; GilCulprit knows what to
// look for when it does.
//
// Lifetime: borrows memory. Thread safety: none.
#ifndef FTHREADPROF_CONTENTION_GIL_WATCH_H_
#define FTHREADPROF_CONTENTION_GIL_WATCH_H_

#include <chrono>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "contention/gil_culprit.h"
#include "process/process_memory.h"
#include "python/interpreter_reader.h"
#include "python/runtime_locator.h"

namespace fthreadprof {

class GilWatch {
 public:
  using Clock = std::chrono::steady_clock;

  // REQUIRES: memory outlives the watch; `runtime` is of a free-threaded build.
  GilWatch(ProcessMemory& memory, const PythonRuntime& runtime);

  // Looks at the GIL, and where it has changed at imports and modules. Cheap while it has not.
  // Fails with kNotFound when the process is gone, kUnavailable when the interpreter is not there
  // yet or any more, kPermissionDenied.
  absl::Status Look();

  // The process has ended: what is not known by now is decided by what was seen.
  void Finish() { culprit_.Finish(); }

  // Whether the GIL is on for good.
  bool is_on() const { return is_on_; }
  // Whether it was on at the first look.
  bool was_on() const { return was_on_; }
  // When it was first seen on, if it was not at the first look.
  std::optional<Clock::time_point> turned_on() const { return turned_on_; }
  // What turned it on, and all extension modules that were ever seen.
  const GilCulprit& culprit() const { return culprit_; }

 private:
  absl::Status FindGil();
  void LookAtGil(int enabled, Clock::time_point now);
  absl::Status LookAtModules(Clock::time_point now);
  void Search(Clock::time_point now);

  ProcessMemory& memory_;
  const PythonRuntime runtime_;
  InterpreterReader reader_;
  GilCulprit culprit_;
  InterpreterPtr interpreter_;
  uint64_t gil_enabled_address_ = 0;
  bool is_on_ = false;
  bool was_on_ = false;
  bool has_looked_ = false;
  bool is_over_ = false;  // nothing more is to be found out
  std::optional<Clock::time_point> turned_on_;
  const Clock::time_point began_ = Clock::now();
  Clock::time_point last_modules_;
  Clock::time_point last_pass_;
  Clock::time_point last_import_ = began_;  // when one was seen in progress, or could have been
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_CONTENTION_GIL_WATCH_H_
