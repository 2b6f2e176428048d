#include "interpreter/interpreter_finder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <regex>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;

struct Candidate {
  fs::path executable;
  InterpreterOrigin origin;
  fs::path root;
};

// python, python3, python3t, python3.13, python3.14t; names that say 3.12 or older are left out, so
// that nothing old is run.
bool IsPythonName(const std::string& name) {
  static const std::regex kPattern(R"(python(?:3(?:\.(\d{1,3}))?t?)?)");
  std::smatch match;
  if (!std::regex_match(name, match, kPattern)) return false;
  return !match[1].matched || std::stoi(match[1]) >= 13;
}

std::vector<fs::path> SortedEntries(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    entries.push_back(it->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

class CandidateCollector {
 public:
  explicit CandidateCollector(const InterpreterPlaces& places) {
    for (const fs::path& named : places.named) AddNamed(named);
    for (const fs::path& directory : places.path) {
      // pyenv's shims only start one of its versions, which are listed themselves.
      if (directory.filename() != "shims") AddDirectory(directory, InterpreterOrigin::kPath);
    }
    AddPrefixes(places.cached, InterpreterOrigin::kCache);
    AddPrefixes(places.uv, InterpreterOrigin::kUv);
    AddPrefixes(places.pyenv, InterpreterOrigin::kPyenv);
    for (const fs::path& root : SortedEntries(places.roots)) {
      AddDirectory(root / "usr/bin", InterpreterOrigin::kRoot, root);
    }
  }

  const std::vector<Candidate>& candidates() const { return candidates_; }

 private:
  void Add(const Candidate& candidate) {
    struct stat file;
    if (stat(candidate.executable.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return;
    if (access(candidate.executable.c_str(), X_OK) != 0) return;
    // By inode: CPython installs python3.13 and python3.13t as hard links.
    if (seen_.emplace(file.st_dev, file.st_ino).second) candidates_.push_back(candidate);
  }

  void AddDirectory(const fs::path& directory, InterpreterOrigin origin,
                    const fs::path& root = {}) {
    for (const fs::path& entry : SortedEntries(directory)) {
      if (IsPythonName(entry.filename())) Add({fs::absolute(entry), origin, root});
    }
  }

  void AddPrefixes(const fs::path& place, InterpreterOrigin origin) {
    for (const fs::path& prefix : SortedEntries(place)) {
      if (prefix.extension() == CacheLayout::kStagingSuffix) continue;
      AddDirectory(prefix / "bin", origin);
    }
  }

  void AddNamed(const fs::path& named) {
    std::error_code ignored;
    if (!fs::is_directory(named, ignored)) {
      Add({fs::absolute(named), InterpreterOrigin::kEnvironment, {}});
    } else if (fs::is_directory(named / "bin", ignored)) {
      AddDirectory(named / "bin", InterpreterOrigin::kEnvironment);
    } else {
      AddDirectory(named, InterpreterOrigin::kEnvironment);
    }
  }

  std::vector<Candidate> candidates_;
  std::set<std::pair<dev_t, ino_t>> seen_;
};

absl::StatusOr<Interpreter> Identify(const Candidate& candidate) {
  if (candidate.root.empty()) {
    return IdentifyInterpreter({}, candidate.executable, candidate.executable);
  }
  if (geteuid() != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(candidate.executable.string(), " can be run by root only (chroot)"));
  }
  const fs::path inside = "/" / candidate.executable.lexically_relative(candidate.root);
  return IdentifyInterpreter({"/usr/sbin/chroot", candidate.root}, inside, candidate.executable);
}

bool ListedBefore(const Interpreter& a, const Interpreter& b) {
  if (a.version.NumbersLessThan(b.version)) return true;
  if (b.version.NumbersLessThan(a.version)) return false;
  if (a.free_threaded != b.free_threaded) return a.free_threaded;
  if (a.race != b.race) return b.race;
  if (a.origin != b.origin) return a.origin < b.origin;
  return a.executable < b.executable;
}

std::string EnvironmentVariable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::vector<fs::path> SplitPaths(const std::string& text) {
  const std::vector<std::string> paths = absl::StrSplit(text, ':', absl::SkipEmpty());
  return {paths.begin(), paths.end()};
}

fs::path DirectoryFrom(const char* variable, const fs::path& fallback) {
  const std::string value = EnvironmentVariable(variable);
  return value.empty() ? fallback : fs::path(value);
}

}  // namespace

InterpreterPlaces PlacesFromEnvironment(const CacheLayout& cache) {
  const fs::path home = HomeDirectory();
  InterpreterPlaces places;
  places.named = SplitPaths(EnvironmentVariable("FTHREADPROF_PYTHONS"));
  places.path = SplitPaths(EnvironmentVariable("PATH"));
  places.cached = cache.interpreters();
  places.uv = DirectoryFrom("UV_PYTHON_INSTALL_DIR",
                            DirectoryFrom("XDG_DATA_HOME", home / ".local/share") / "uv/python");
  places.pyenv = DirectoryFrom("PYENV_ROOT", home / ".pyenv") / "versions";
  places.roots = cache.roots();
  return places;
}

FoundInterpreters FindInterpreters(const InterpreterPlaces& places) {
  FoundInterpreters found;
  const CandidateCollector collector(places);
  for (const Candidate& candidate : collector.candidates()) {
    absl::StatusOr<Interpreter> interpreter = Identify(candidate);
    if (!interpreter.ok()) {
      found.skipped.emplace_back(interpreter.status().message());
      continue;
    }
    interpreter->origin = candidate.origin;
    interpreter->root = candidate.root;
    found.interpreters.push_back(*std::move(interpreter));
  }
  std::sort(found.interpreters.begin(), found.interpreters.end(), ListedBefore);
  return found;
}

absl::StatusOr<Interpreter> ChooseInterpreter(const FoundInterpreters& found,
                                              const VersionRequest& request,
                                              const std::string& request_text) {
  const Interpreter* best = nullptr;
  for (const Interpreter& interpreter : found.interpreters) {
    if (!interpreter.root.empty() || !request.Matches(interpreter)) continue;
    if (best == nullptr || best->version.NumbersLessThan(interpreter.version)) best = &interpreter;
  }
  if (best != nullptr) return *best;
  return absl::NotFoundError(absl::StrCat(
      "no CPython", request_text.empty() ? "" : " ", request_text,
      " was found; 'fthreadprof interpreter list' shows those there are, 'fthreadprof interpreter "
      "build' makes a free-threaded one, and FTHREADPROF_PYTHONS can name others"));
}

}  // namespace fthreadprof
