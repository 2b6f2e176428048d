// An Interpreter is a CPython 3.13 or later on this machine that has been run and asked who it is.
// A VersionRequest is what a person writes to name one: "3.14t", "3.13", "3.13.5t", "t".
#ifndef FTHREADPROF_INTERPRETER_INTERPRETER_H_
#define FTHREADPROF_INTERPRETER_INTERPRETER_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace fthreadprof {

// Where an interpreter was found, in the order in which they are preferred.
enum class InterpreterOrigin { kEnvironment, kPath, kCache, kUv, kPyenv, kRoot };

// "environment", "path", "cache", "uv", "pyenv", "root".
const char* OriginName(InterpreterOrigin origin);

struct PythonVersion {
  int major = 0;
  int minor = 0;
  int micro = 0;
  std::string text;  // "3.15.0rc1": the numbers and what follows them

  // Numbers only: 3.15.0rc1 and 3.15.0 are equal.
  bool NumbersLessThan(const PythonVersion& other) const;
};

// Reads "3.13.5", "3.15.0rc1+". Fails with kInvalidArgument.
[[nodiscard]] absl::StatusOr<PythonVersion> ParsePythonVersion(const std::string& text);

// What we can read: CPython 3.13 introduced the table that the readers rely on.
bool IsSupported(const PythonVersion& version);

struct Interpreter {
  PythonVersion version;
  bool free_threaded = false;        // built so; the GIL may be on all the same
  bool shared = false;               // uses libpython3.Y.so
  bool race = false;                 // instrumented: of the flavor "race"
  std::filesystem::path executable;  // absolute, outside of `root`
  std::filesystem::path root;        // when not empty: runs only inside `chroot ROOT`
  InterpreterOrigin origin = InterpreterOrigin::kPath;
};

class VersionRequest {
 public:
  // "" asks for any, free-threaded or not. Fails with kInvalidArgument.
  [[nodiscard]] static absl::StatusOr<VersionRequest> Parse(const std::string& text);

  bool free_threaded() const { return free_threaded_; }
  // "3.14", without the t; empty when any will do.
  std::string Numbers() const;
  // Of the flavor "race", which is never meant unless asked for.
  void SetRace(bool race) { race_ = race; }
  // True when the numbers given are those of `version`, as many as were given.
  bool MatchesNumbers(const PythonVersion& version) const;
  bool Matches(const Interpreter& interpreter) const;

 private:
  std::vector<int> numbers_;
  bool free_threaded_ = false;
  bool any_ = false;
  bool race_ = false;
};

// Runs `python` (behind `wrapper`, such as {"chroot", ROOT}) for at most ten seconds and asks for
// its version and build. `executable` is the file that this starts, as we see it. Fails with
// kFailedPrecondition when it is not a CPython, 3.12 or older, or does not run; the message says
// which.
[[nodiscard]] absl::StatusOr<Interpreter> IdentifyInterpreter(
    const std::vector<std::string>& wrapper, const std::string& python,
    const std::filesystem::path& executable);

// True when `executable` is in the prefix of an instrumented CPython.
bool IsInstrumented(const std::filesystem::path& executable);

// True when the ELF file is linked to a libpython3.*.so; false too when it is no ELF file.
bool UsesSharedLibpython(const std::filesystem::path& executable);

}  // namespace fthreadprof

#endif  // FTHREADPROF_INTERPRETER_INTERPRETER_H_
