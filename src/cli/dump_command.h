// `fthreadprof dump`: every thread's stack, once. See docs/dump.md.
#ifndef FTHREADPROF_CLI_DUMP_COMMAND_H_
#define FTHREADPROF_CLI_DUMP_COMMAND_H_

#include <CLI/CLI.hpp>

namespace fthreadprof {

// Adds the command to `app`; when it is given it runs during app.parse and sets `exit_status`.
void AddDumpCommand(CLI::App& app, int& exit_status);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_DUMP_COMMAND_H_
