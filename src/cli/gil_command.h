// `fthreadprof gil`: is the GIL of a free-threaded Python off, and if not, which import turned it
// on?
#ifndef FTHREADPROF_CLI_GIL_COMMAND_H_
#define FTHREADPROF_CLI_GIL_COMMAND_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace fthreadprof {

// `command` is what stands behind `--`; it and `exit_status` are used when the command is run.
void AddGilCommand(CLI::App& app, const std::vector<std::string>& command, int& exit_status);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_GIL_COMMAND_H_
