// The command line: see docs/cli.md. One file a command.
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/exit_status.h"
#include "cli/interpreter_command.h"
#include "cli/record_command.h"

int main(int argc, char** argv) {
  // What follows the first -- is the user's command, whatever it looks like.
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::vector<std::string> command;
  const auto separator = std::find(arguments.begin(), arguments.end(), "--");
  if (separator != arguments.end()) {
    command.assign(separator + 1, arguments.end());
    arguments.erase(separator, arguments.end());
  }

  CLI::App app(
      "fthreadprof shows where the threads of a Python process spend their time and parallelism.",
      "fthreadprof");
  app.set_version_flag("--version", "fthreadprof " FTHREADPROF_VERSION);
  app.require_subcommand(1);
  int exit_status = 0;
  fthreadprof::AddRecordCommand(app, command, exit_status);
  fthreadprof::AddInterpreterCommand(app, exit_status);
  try {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them last first
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return fthreadprof::ReportFailure(absl::InvalidArgumentError(
        absl::StrCat(error.what(), " (fthreadprof --help shows how to use it)")));
  }
  return exit_status;
}
