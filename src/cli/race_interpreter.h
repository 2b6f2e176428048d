// Which instrumented interpreter `fthreadprof race` uses: the one that --python names, or the one
// that the builder builds or has in its cache.
//
// Errors are sentences for the user.
#ifndef FTHREADPROF_CLI_RACE_INTERPRETER_H_
#define FTHREADPROF_CLI_RACE_INTERPRETER_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/race_environment.h"

namespace fthreadprof {

struct RaceInterpreterRequest {
  std::string python;         // of --python: a version, or the path of an instrumented interpreter
  std::string minor_version;  // "3.13": what the command would have used; empty: not known
  bool verbose = false;
  bool quiet = false;
};

// Builds it when the cache does not have it, which takes minutes and is told on standard error.
[[nodiscard]] absl::StatusOr<RaceInterpreter> FindRaceInterpreter(
    const RaceInterpreterRequest& request);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_RACE_INTERPRETER_H_
