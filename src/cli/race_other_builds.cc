#include "cli/race_other_builds.h"

#include <fstream>
#include <map>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;

struct OtherBuild {
  std::string module;     // "numpy._core._multiarray_umath"
  std::string directory;  // where its file is
  std::string file;       // "_multiarray_umath.cpython-311-x86_64-linux-gnu.so"

  std::string Package() const { return module.substr(0, module.find('.')); }
  // "cpython-311-x86_64-linux-gnu"
  std::string Abi() const {
    const size_t first = file.find('.'), last = file.rfind('.');
    return first == last ? "another Python" : file.substr(first + 1, last - first - 1);
  }
  // The directory that is on sys.path.
  fs::path SiteDirectory() const {
    fs::path site = directory;
    for (const char c : module) {
      if (c == '.') site = site.parent_path();
    }
    return site;
  }
};

// By package, the first of each.
std::map<std::string, OtherBuild> ReadNotes(const fs::path& file) {
  std::map<std::string, OtherBuild> builds;
  std::ifstream notes(file);
  std::string line;
  while (std::getline(notes, line)) {
    const std::vector<std::string> parts = absl::StrSplit(line, '\t');
    if (parts.size() != 3) continue;
    OtherBuild build{parts[0], parts[1], parts[2]};
    builds.emplace(build.Package(), build);
  }
  return builds;
}

bool RecordNames(const fs::path& record, const std::string& package) {
  std::ifstream files(record);
  std::string line;
  while (std::getline(files, line)) {
    if (absl::StartsWith(line, package + "/") || absl::StartsWith(line, package + ".")) return true;
  }
  return false;
}

// What pip calls the package: yaml is of PyYAML. The package's own name when nothing tells.
std::string DistributionOf(const OtherBuild& build) {
  std::error_code error;
  for (fs::directory_iterator it(build.SiteDirectory(), error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() != ".dist-info") continue;
    if (!RecordNames(it->path() / "RECORD", build.Package())) continue;
    const std::string name = it->path().stem();  // NAME-VERSION
    return name.substr(0, name.find('-'));
  }
  return build.Package();
}

}  // namespace

std::vector<std::string> ExplainOtherBuilds(const fs::path& log_directory,
                                            const RaceInterpreter& interpreter,
                                            const RaceEnvironment& environment) {
  std::vector<std::string> sentences;
  for (const auto& [package, build] : ReadNotes(log_directory / "other-builds")) {
    const std::string distribution = DistributionOf(build);
    const std::string command =
        absl::StrCat(ShellQuote(interpreter.executable), " -m pip install --target ",
                     ShellQuote(environment.packages), " ", ShellQuote(distribution));
    sentences.push_back(absl::StrCat(
        package, " has no build for free-threaded CPython ", interpreter.MinorVersion(), " (",
        build.module, " is built for ", build.Abi(), "); install one with: ", command));
  }
  return sentences;
}

bool RanPython(const fs::path& log_directory) {
  std::error_code ignored;
  return fs::exists(log_directory / "pythons", ignored);
}

}  // namespace fthreadprof
