// `fthreadprof report`: turns a recording into other outputs.
#ifndef FTHREADPROF_CLI_REPORT_COMMAND_H_
#define FTHREADPROF_CLI_REPORT_COMMAND_H_

#include <CLI/CLI.hpp>

namespace fthreadprof {

void AddReportCommand(CLI::App& app, int& exit_status);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_REPORT_COMMAND_H_
