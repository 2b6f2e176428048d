// `fthreadprof race --coverage`: what an instrumented interpreter tracks and what it does not, from
// the coverage that its build wrote down, and which hook tables there are.
#ifndef FTHREADPROF_CLI_RACE_COVERAGE_H_
#define FTHREADPROF_CLI_RACE_COVERAGE_H_

#include <string>

#include "absl/status/status.h"
#include "cli/race_environment.h"
#include "interpreter/coverage.h"

namespace fthreadprof {

// Prints to standard output. Fails, with a sentence, when the interpreter has no coverage.
[[nodiscard]] absl::Status PrintRaceCoverage(const RaceInterpreter& interpreter);

// What is printed about one interpreter.
std::string RenderCoverage(const Coverage& coverage);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_RACE_COVERAGE_H_
