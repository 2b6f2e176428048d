// Runs a program and waits for it: the compiler, make, tar, apt-get, a Python that is asked who it
// is.
//
// The program dies with us (PR_SET_PDEATHSIG), so that a build whose driver is killed does not go
// on. Thread safety: call from one thread at a time; it forks. Errors: kNotFound when the program
// does not exist, kDeadlineExceeded when it ran over `timeout` (it and the process group it leads
// are killed), kUnavailable when it could not be started.
#ifndef FTHREADPROF_INTERPRETER_COMMAND_RUNNER_H_
#define FTHREADPROF_INTERPRETER_COMMAND_RUNNER_H_

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace fthreadprof {

struct Command {
  std::vector<std::string> arguments;  // the program first; looked up on PATH
  std::filesystem::path directory;     // empty: ours
  // Where stdout and stderr are appended to. Empty: stdout is captured (its first
  // kMaxCapturedBytes), stderr is dropped.
  std::filesystem::path log_file;
  std::chrono::milliseconds timeout{0};  // 0: none
  // Called about once a second while the program runs; may be empty.
  std::function<void()> on_tick;
};

inline constexpr size_t kMaxCapturedBytes = 1 << 20;

struct CommandResult {
  int exit_status = 0;  // 128 + N when signal N ended it, as a shell says
  std::string output;
};

[[nodiscard]] absl::StatusOr<CommandResult> RunCommand(const Command& command);

// The absolute path of `program` on PATH, or empty.
std::filesystem::path FindProgram(const std::string& program);

}  // namespace fthreadprof

#endif  // FTHREADPROF_INTERPRETER_COMMAND_RUNNER_H_
