// Finds the CPythons of this machine: FTHREADPROF_PYTHONS, PATH, the cache, uv's and pyenv's
// places, and the Debian roots in the cache. Runs each candidate once to learn what it is.
#ifndef FTHREADPROF_INTERPRETER_INTERPRETER_FINDER_H_
#define FTHREADPROF_INTERPRETER_INTERPRETER_FINDER_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "interpreter/cache_layout.h"
#include "interpreter/interpreter.h"

namespace fthreadprof {

// Where to look. Each may hold directories that do not exist.
struct InterpreterPlaces {
  std::vector<std::filesystem::path>
      named;  // FTHREADPROF_PYTHONS: executables, prefixes, directories
  std::vector<std::filesystem::path> path;  // directories of PATH
  std::filesystem::path cached;             // one prefix a directory
  std::filesystem::path uv;
  std::filesystem::path pyenv;
  std::filesystem::path roots;
};
InterpreterPlaces PlacesFromEnvironment(const CacheLayout& cache);

struct FoundInterpreters {
  // Each file once, under the most preferred name; by version, free-threaded first, then by origin.
  std::vector<Interpreter> interpreters;
  // One sentence for each candidate that is not listed, and why.
  std::vector<std::string> skipped;
};
FoundInterpreters FindInterpreters(const InterpreterPlaces& places);

// The interpreter with the highest version that answers the request and runs outside of a root.
// Fails with kNotFound; the message says what to do.
[[nodiscard]] absl::StatusOr<Interpreter> ChooseInterpreter(const FoundInterpreters& found,
                                                            const VersionRequest& request,
                                                            const std::string& request_text);

}  // namespace fthreadprof

#endif  // FTHREADPROF_INTERPRETER_INTERPRETER_FINDER_H_
