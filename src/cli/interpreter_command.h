// `fthreadprof interpreter (list|build|path|remove)`.
#ifndef FTHREADPROF_CLI_INTERPRETER_COMMAND_H_
#define FTHREADPROF_CLI_INTERPRETER_COMMAND_H_

#include <CLI/CLI.hpp>

namespace fthreadprof {

// Adds the command to `app`. When the command line names it, parsing runs it and sets
// `exit_status`, which must live as long as `app`.
void AddInterpreterCommand(CLI::App& app, int& exit_status);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_INTERPRETER_COMMAND_H_
