// The command line: see docs/cli.md. One file a command.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
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

// CLI11 does not know of what stands behind --, nor which options are needed.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string usage = CLI::Formatter::make_usage(app, std::move(name));
    absl::StripTrailingAsciiWhitespace(&usage);
    const std::string& command = app->get_name();
    if (command == "record" || command == "gil")
      absl::StrAppend(&usage, " (-p PID | -- COMMAND...)");
    if (command == "dump") absl::StrAppend(&usage, " -p PID");
    if (command == "race") absl::StrAppend(&usage, " -- COMMAND...");
    return usage + "\n";
  }
};

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

// CLI11 takes an unknown word for a missing command; say what it is.
absl::Status CheckCommandName(const CLI::App& app, absl::Span<const std::string> arguments) {
  const std::vector<std::string> names = CommandNames(app);
  if (names.empty() || arguments.empty() || arguments.front().starts_with('-')) {
    return absl::OkStatus();
  }
  const std::string& name = arguments.front();
  if (std::ranges::find(names, name) != names.end()) {
    return CheckCommandName(*app.get_subcommand(name), arguments.subspan(1));
  }
  // Who comes from py-spy looks for it.
  const std::string hint =
      name == "top" ? "; for a look at a running process: 'fthreadprof dump -p PID'" : "";
  return absl::InvalidArgumentError(absl::StrCat("there is no command '", name, "': give one of ",
                                                 absl::StrJoin(names, ", "), hint));
}

// What was missing, when the arguments ended after `app` and these of its commands.
std::string ExplainMissing(const CLI::App& app) {
  if (app.got_subcommand("report")) {
    return "give a recording, as in 'fthreadprof report out.ftp -o out.svg'";
  }
  if (app.got_subcommand("interpreter")) {
    return absl::StrCat("give what to do, as in 'fthreadprof interpreter list': one of ",
                        absl::StrJoin(CommandNames(*app.get_subcommand("interpreter")), ", "));
  }
  return "give a command, as in 'fthreadprof record -p PID' (fthreadprof --help lists them)";
}

std::string ExplainExtras(const CLI::App& app, const std::vector<std::string>& words) {
  const std::string what = absl::StrCat("did not expect '", absl::StrJoin(words, " "), "'; ");
  const std::vector<CLI::App*> commands = app.get_subcommands();
  const std::string command = commands.empty() ? "" : commands.front()->get_name();
  const bool runs = command == "record" || command == "race" || command == "gil";
  int pid = 0;
  if (command != "race" && (runs || command == "dump") && absl::SimpleAtoi(words.front(), &pid)) {
    return absl::StrCat(what, "the number of a process goes behind -p");
  }
  if (command == "report" && !words.front().starts_with('-')) {
    return absl::StrCat(what, "an output goes behind -o, and --help lists the options");
  }
  return absl::StrCat(what, runs ? "a command to run goes behind --, and " : "",
                      "--help lists the options");
}

// CLI11's messages are for programmers.
std::string ExplainParseError(const CLI::App& app, const CLI::ParseError& error) {
  const std::string what = error.what();
  if (error.get_name() == "RequiredError") return ExplainMissing(app);
  if (what.starts_with("The following argument")) {
    std::vector<std::string> words =
        absl::StrSplit(what.substr(what.find(':') + 1), ' ', absl::SkipEmpty());
    std::reverse(words.begin(), words.end());  // CLI11 lists them last first
    if (!words.empty()) return ExplainExtras(app, words);
  }
  if (error.get_name() == "ArgumentMismatch" && what.ends_with(" missing")) {
    return absl::StrCat("give a value behind ", what.substr(0, what.find(':')),
                        " (--help shows how to use it)");
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
  app.formatter(std::make_shared<HelpFormatter>());  // its commands inherit it
  app.set_version_flag("-V,--version", "fthreadprof " FTHREADPROF_VERSION);
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
  if (!arguments.empty() && arguments.front() == "help") {
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
  }
  if (absl::Status status = CheckCommandName(app, arguments); !status.ok()) {
    return fthreadprof::ReportFailure(status);
  }
  try {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them last first
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return fthreadprof::ReportFailure(absl::InvalidArgumentError(ExplainParseError(app, error)));
  }
  return exit_status;
}
