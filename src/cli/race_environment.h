// RaceEnvironment: what the user's command sees as its Python: a virtual environment of the
// instrumented interpreter that uses the packages of another environment.
//
// It is kept in the cache, CACHE/environments/NAME, one for each pair of interpreter and
// environment:
//
//   pyvenv.cfg                    so that it is a virtual environment
//   bin/python3, ...              links to the instrumented interpreter
//   lib/python3.13t/site-packages/
//     fthreadprof.pth, _fthreadprof_race.py   add the directories of the other environment
//     _fthreadprof_pytest.py, ...dist-info    pytest's plugin, see race_pytest_plugin.h
//     ...                         packages that `pip install --target` puts here come first
//   share, etc                    links to those of the other environment
//
// A virtual environment, and not PYTHONPATH or an option: so the script's directory, -I, -s, -S,
// PYTHONPATH and .pth files keep their meaning and order, sys.executable leads children to the same
// interpreter whatever they do to their environment variables, and sys.prefix is a place of this
// interpreter's own, where pip may install.
//
// A value. Made again by every run, each file whole or not at all, so that runs do not disturb each
// other. Errors are sentences for the user.
#ifndef FTHREADPROF_CLI_RACE_ENVIRONMENT_H_
#define FTHREADPROF_CLI_RACE_ENVIRONMENT_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/race_packages.h"

namespace fthreadprof {

// An instrumented interpreter.
struct RaceInterpreter {
  std::filesystem::path executable;
  std::string version;  // "3.13.5"

  std::string MinorVersion() const;
};

struct RaceEnvironment {
  std::filesystem::path bin;
  std::filesystem::path packages;  // empty when nothing can be installed

  std::filesystem::path python() const { return bin / "python3"; }
};

[[nodiscard]] absl::StatusOr<RaceEnvironment> MakeRaceEnvironment(
    const std::filesystem::path& environments, const RaceInterpreter& interpreter,
    const PythonPackages& packages);

// Fills the new directory `directory` with shell scripts that lead PATH's other ways to a Python to
// `environment`: python3.X of other versions, the scripts of a virtual environment, pytest.
[[nodiscard]] absl::Status WriteShims(const std::filesystem::path& directory,
                                      const RaceEnvironment& environment,
                                      const PythonPackages& packages);

// `text` as a word of a shell script, in quotes if it needs them.
std::string ShellQuote(const std::string& text);
// As many words.
std::string ShellJoin(const std::vector<std::string>& words);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_RACE_ENVIRONMENT_H_
