// PythonPackages: where a Python that the user runs finds its packages, so that the instrumented
// interpreter can use the same.
//
// A value. The Python itself is asked (it knows its virtual environment, and what Debian, conda and
// others changed); one that does not run, such as a virtual environment whose base was removed, is
// understood by its pyvenv.cfg.
#ifndef FTHREADPROF_CLI_RACE_PACKAGES_H_
#define FTHREADPROF_CLI_RACE_PACKAGES_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace fthreadprof {

struct PythonPackages {
  std::string version;            // "3.13.5"; empty when it is not known
  std::filesystem::path prefix;   // sys.prefix
  std::filesystem::path scripts;  // the directory of the Python, with pytest and the like
  bool is_virtual = false;        // a virtual environment
  // Directories that exist, in the order of sys.path.
  std::vector<std::filesystem::path> site;
  std::vector<std::filesystem::path> user_site;  // left out under -s, -I and PYTHONNOUSERSITE

  // "3.13"; empty when the version is.
  std::string MinorVersion() const;
};

// Runs `python` for at most ten seconds. Fails with kFailedPrecondition, a sentence, when it
// neither runs nor has a pyvenv.cfg.
[[nodiscard]] absl::StatusOr<PythonPackages> AskForPackages(const std::filesystem::path& python);

// What AskForPackages makes of the answer of the program that it runs, and of a pyvenv.cfg.
[[nodiscard]] absl::StatusOr<PythonPackages> ParsePackagesAnswer(const std::string& answer);
PythonPackages PackagesOfVirtualEnvironment(const std::filesystem::path& prefix);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_RACE_PACKAGES_H_
