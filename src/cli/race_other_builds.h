// Packages that a run asked for and that have no build for the instrumented interpreter, only for
// another Python: their extension modules carry another ABI's tag.
//
// Made from the notes of the environment's module (race_environment_module.h), which come from the
// process under test: what is not understood is left out.
#ifndef FTHREADPROF_CLI_RACE_OTHER_BUILDS_H_
#define FTHREADPROF_CLI_RACE_OTHER_BUILDS_H_

#include <filesystem>
#include <string>
#include <vector>

#include "cli/race_environment.h"

namespace fthreadprof {

// One sentence for each package, with what to do about it.
std::vector<std::string> ExplainOtherBuilds(const std::filesystem::path& log_directory,
                                            const RaceInterpreter& interpreter,
                                            const RaceEnvironment& environment);

// True when a Python of the environment was started at all.
bool RanPython(const std::filesystem::path& log_directory);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_RACE_OTHER_BUILDS_H_
