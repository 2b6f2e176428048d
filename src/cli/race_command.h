// `fthreadprof race`: runs a command under the instrumented interpreter and reports its races
// (docs/cli.md).
#ifndef FTHREADPROF_CLI_RACE_COMMAND_H_
#define FTHREADPROF_CLI_RACE_COMMAND_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace fthreadprof {

// Adds the command to `app`. `command` is what follows `--`; when the command was run,
// `exit_status` holds what the process should exit with. REQUIRES: both outlive app's parsing.
void AddRaceCommand(CLI::App& app, const std::vector<std::string>& command, int& exit_status);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_RACE_COMMAND_H_
