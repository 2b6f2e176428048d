// The command line: see docs/cli.md. One file a command.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/dump_command.h"
#include "cli/exit_status.h"
#include "cli/gil_command.h"
#include "cli/interpreter_command.h"
#include "cli/race_command.h"
#include "cli/record_command.h"
#include "cli/report_command.h"
#include "reference/command_tree.h"
#include "reference/reference.h"

namespace {

// CLI11 takes an unknown word for a missing command; say what it is.
absl::Status CheckCommandName(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.front().starts_with('-')) return absl::OkStatus();
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == arguments.front()) return absl::OkStatus();
    names.push_back(command->get_name());
  }
  return absl::InvalidArgumentError(absl::StrCat("there is no command '", arguments.front(),
                                                 "': give one of ", absl::StrJoin(names, ", ")));
}

// What is missing behind `command`, which is empty when there was none.
std::string ExplainMissing(const CLI::App& app, const std::string& command,
                           const std::string& what) {
  const auto all = [](const CLI::App*) { return true; };
  for (const CLI::App* known : app.get_subcommands(all)) {
    if (known->get_name() != command) continue;
    std::vector<std::string> names;
    for (const CLI::App* below : known->get_subcommands(all)) names.push_back(below->get_name());
    if (names.empty())
      return absl::StrCat(what, " ('fthreadprof ", command, " --help' tells more)");
    return absl::StrCat("give one of ", absl::StrJoin(names, ", "), " behind 'fthreadprof ",
                        command, "'");
  }
  return "give a command, as in 'fthreadprof record -p PID' (fthreadprof --help lists them)";
}

// CLI11's messages are for programmers.
std::string ExplainParseError(const CLI::App& app, const std::string& command,
                              const CLI::ParseError& error) {
  const std::string what = error.what();
  if (error.get_name() == "RequiredError") return ExplainMissing(app, command, what);
  if (what.starts_with("The following argument")) {
    std::vector<std::string> words =
        absl::StrSplit(what.substr(what.find(':') + 1), ' ', absl::SkipEmpty());
    std::reverse(words.begin(), words.end());  // CLI11 lists them last first
    return absl::StrCat("did not expect '", absl::StrJoin(words, " "),
                        "'; a command to run goes behind --, and --help lists the options");
  }
  if (error.get_name() == "ConversionError") {
    return absl::StrCat("not a number:", what.substr(what.find(':') + 1));
  }
  return absl::StrCat(what, " (--help shows how to use it)");
}

}  // namespace

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
  fthreadprof::AddReportCommand(app, exit_status);
  fthreadprof::AddDumpCommand(app, exit_status);
  fthreadprof::AddGilCommand(app, command, exit_status);
  fthreadprof::AddRaceCommand(app, command, exit_status);
  fthreadprof::AddInterpreterCommand(app, exit_status);
  // For the build, so that no --help tells of it.
  if (arguments.size() == 2 && arguments.front() == "--write-reference") {
    const absl::Status status = fthreadprof::WriteReference(fthreadprof::DescribeCommands(app),
                                                            FTHREADPROF_VERSION, arguments.back());
    return status.ok() ? 0 : fthreadprof::ReportFailure(status);
  }
  if (absl::Status status = CheckCommandName(app, arguments); !status.ok()) {
    return fthreadprof::ReportFailure(status);
  }
  const std::string command_name = arguments.empty() ? "" : arguments.front();
  try {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them last first
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return fthreadprof::ReportFailure(
        absl::InvalidArgumentError(ExplainParseError(app, command_name, error)));
  }
  return exit_status;
}
