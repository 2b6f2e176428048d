#include "cli/race_packages.h"

#include <algorithm>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "interpreter/command_runner.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kAskTimeout{10};

// Each answer is a line of its own, in hexadecimal: a sitecustomize may print, and a path may be
// anything.
constexpr char kQuestion[] = R"python(
import os, site, sys
def tell(what, text):
    print("\nfthreadprof %s %s" % (what, os.fsencode(text).hex()))
tell("version", "%d.%d.%d" % sys.version_info[:3])
tell("prefix", sys.prefix)
if sys.prefix != sys.base_prefix:
    tell("virtual", "yes")
for directory in site.getsitepackages():
    tell("site", directory)
if site.ENABLE_USER_SITE:
    tell("user", site.getusersitepackages())
)python";

void AddDirectory(const fs::path& directory, std::vector<fs::path>& directories) {
  std::error_code ignored;
  const bool known =
      std::find(directories.begin(), directories.end(), directory) != directories.end();
  if (!known && fs::is_directory(directory, ignored)) directories.push_back(directory);
}

void TakeAnswer(const std::string& what, const std::string& text, PythonPackages& packages) {
  if (what == "version") packages.version = text;
  if (what == "prefix") packages.prefix = text;
  if (what == "virtual") packages.is_virtual = true;
  if (what == "site") AddDirectory(text, packages.site);
  if (what == "user") AddDirectory(text, packages.user_site);
}

}  // namespace

std::string PythonPackages::MinorVersion() const {
  const std::vector<std::string> numbers = absl::StrSplit(version, '.');
  return numbers.size() < 2 ? "" : absl::StrCat(numbers[0], ".", numbers[1]);
}

absl::StatusOr<PythonPackages> ParsePackagesAnswer(const std::string& answer) {
  PythonPackages packages;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(answer, '\n'))) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words.size() != 3 || words[0] != "fthreadprof") continue;
    TakeAnswer(words[1], absl::HexStringToBytes(words[2]), packages);
  }
  if (!packages.version.empty() && !packages.prefix.empty()) return packages;
  return absl::FailedPreconditionError("it does not say where its packages are");
}

PythonPackages PackagesOfVirtualEnvironment(const fs::path& prefix) {
  PythonPackages packages;
  packages.prefix = prefix;
  packages.is_virtual = true;
  std::ifstream configuration(prefix / "pyvenv.cfg");
  std::string line;
  while (std::getline(configuration, line)) {
    const std::pair<std::string, std::string> setting =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    const std::string key(absl::StripAsciiWhitespace(setting.first));
    if (key == "version" || key == "version_info") {
      packages.version = std::string(absl::StripAsciiWhitespace(setting.second));
    }
  }
  std::error_code error;
  for (fs::directory_iterator it(prefix / "lib", error), end; !error && it != end;
       it.increment(error)) {
    if (absl::StartsWith(it->path().filename().string(), "python3")) {
      AddDirectory(it->path() / "site-packages", packages.site);
    }
  }
  return packages;
}

absl::StatusOr<PythonPackages> AskForPackages(const fs::path& python) {
  Command command;
  command.arguments = {python, "-c", kQuestion};
  command.timeout = kAskTimeout;
  absl::StatusOr<CommandResult> result = RunCommand(command);
  absl::StatusOr<PythonPackages> packages =
      result.ok() ? ParsePackagesAnswer(result->output) : result.status();
  const fs::path prefix = python.parent_path().parent_path();
  std::error_code ignored;
  if (!packages.ok() && fs::exists(prefix / "pyvenv.cfg", ignored)) {
    packages = PackagesOfVirtualEnvironment(prefix);
  }
  if (!packages.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        python.string(), " cannot be asked for its packages: ", packages.status().message()));
  }
  packages->scripts = python.parent_path();
  return packages;
}

}  // namespace fthreadprof
