// RaceTarget: what the COMMAND behind `fthreadprof race --` is, and which Python it would have run.
//
// Three kinds. A Python: `python`, `python3`, `python3.13t`, by name or path. A script for one: a
// file whose first line names a Python, directly, by `env`, or by the `#!/bin/sh` trampoline that
// pip writes where a shebang would be too long. Anything else (make, bash, tox) runs as it is; its
// Python children are found by PATH. pyenv's shims stand for what `pyenv which` says.
//
// A value. Looks at PATH, VIRTUAL_ENV and the files named; runs nothing but pyenv. Errors are
// sentences for the user.
#ifndef FTHREADPROF_CLI_RACE_TARGET_H_
#define FTHREADPROF_CLI_RACE_TARGET_H_

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace fthreadprof {

// The first line of a script, understood.
struct Shebang {
  std::string interpreter;             // a path, or a name to be looked up on PATH
  std::vector<std::string> arguments;  // to stand before the script's path

  friend bool operator==(const Shebang&, const Shebang&) = default;
};

// Reads the start of a file. Nothing when it has no shebang. `env NAME` and pip's trampoline yield
// the interpreter behind them.
std::optional<Shebang> ParseShebang(std::string_view start_of_file);

// python, python3, python3t, python3.13, python3.14t.
bool IsPythonName(std::string_view name);

struct RaceTarget {
  enum class Kind { kPython, kScript, kOther };

  Kind kind = Kind::kOther;
  std::filesystem::path file;          // what COMMAND[0] stands for: as written if it is a path
  std::filesystem::path python;        // whose packages are used; empty: none was found
  std::vector<std::string> shebang;    // kScript: arguments of its first line
  std::vector<std::string> arguments;  // COMMAND without its first word

  // The command line that runs it, `python` in the place of any Python.
  std::vector<std::string> CommandLine(const std::filesystem::path& python_to_run) const;
};

// REQUIRES: command is not empty. Fails with kNotFound or kPermissionDenied when there is nothing
// to run.
[[nodiscard]] absl::StatusOr<RaceTarget> ResolveRaceTarget(const std::vector<std::string>& command);

// The Python that `python3` or `python` means here, VIRTUAL_ENV's if there is neither; or empty.
std::filesystem::path FindDefaultPython();

// The first bytes of a file, enough for ParseShebang; empty when it can't be read.
std::string ReadStartOfFile(const std::filesystem::path& file);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_RACE_TARGET_H_
