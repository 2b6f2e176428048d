#include "cli/race_command.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "cli/exit_status.h"
#include "cli/race_coverage.h"
#include "cli/race_environment.h"
#include "cli/race_interpreter.h"
#include "cli/race_other_builds.h"
#include "cli/race_output.h"
#include "cli/race_packages.h"
#include "cli/race_run.h"
#include "cli/race_suppressions.h"
#include "cli/race_target.h"
#include "interpreter/cache_layout.h"
#include "race/race_log_reader.h"
#include "race/race_report.h"
#include "race/report_parts.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;

constexpr int kRacesFound = 66;  // as TSan's default exitcode
// With a seed, once a race was found.
constexpr uint32_t kRunsToMeasure = 5;
constexpr uint32_t kMostRuns = 1000;

struct RaceOptions {
  std::vector<std::string> outputs;
  std::string level = "python";
  std::string fail_on = "warning";
  std::string python;
  SuppressionOptions suppression;
  std::optional<uint32_t> seed;
  std::optional<uint32_t> runs;
  bool coverage = false;
  bool no_source = false;
  bool verbose = false;
  bool quiet = false;
  std::string pid;
};

// What a command runs with, and what its report leaves out.
struct Setup {
  RaceFilter filter;
  RaceTarget target;
  PythonPackages packages;
  RaceInterpreter interpreter;
  RaceEnvironment environment;
  std::string reproduce;  // as RaceReport has it
};

void Say(const std::string& sentence) { std::cerr << "fthreadprof: " << sentence << "\n"; }

absl::Status CheckOptions(const RaceOptions& options, bool has_pid,
                          const std::vector<std::string>& command) {
  if (has_pid) {
    return absl::InvalidArgumentError(
        "race cannot look at a running process: accesses are recorded by the interpreter that runs "
        "the program, from its start; run it as 'fthreadprof race -- COMMAND'");
  }
  if (options.level != "python") {
    return absl::InvalidArgumentError(
        absl::StrCat("--level ", options.level,
                     " is not supported: races between Python objects, "
                     "--level python, are what this version finds"));
  }
  if (options.fail_on != "never" && !ParseSeverity(options.fail_on)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--fail-on ", options.fail_on, ": give error, warning, note or never"));
  }
  if (command.empty() && !options.coverage) {
    return absl::InvalidArgumentError(
        "give a command behind --, as in 'fthreadprof race -- python app.py'");
  }
  return CheckRaceOutputs(options.outputs);
}

absl::StatusOr<RaceInterpreter> FindInterpreter(const RaceOptions& options,
                                                const PythonPackages& packages) {
  RaceInterpreterRequest request;
  request.python = options.python;
  request.minor_version = packages.MinorVersion();
  request.verbose = options.verbose;
  request.quiet = options.quiet;
  return FindRaceInterpreter(request);
}

// The interpreter itself, or a virtual environment that somebody made of it.
bool IsThatInterpreter(const fs::path& python, const RaceInterpreter& interpreter) {
  std::error_code error;
  return !python.empty() && fs::equivalent(python, interpreter.executable, error) && !error;
}

absl::StatusOr<RaceEnvironment> MakeEnvironment(const RaceTarget& target,
                                                const PythonPackages& packages,
                                                const RaceInterpreter& interpreter) {
  if (!IsThatInterpreter(target.python, interpreter)) {
    return MakeRaceEnvironment(CacheLayout::FromEnvironment().top() / "environments", interpreter,
                               packages);
  }
  RaceEnvironment environment;
  environment.bin = target.python.parent_path();
  environment.packages = packages.site.empty() ? fs::path() : packages.site.front();
  return environment;
}

// "" without a seed.
std::string CommandToReproduce(const RaceOptions& options,
                               const std::vector<std::string>& command) {
  if (!options.seed) return "";
  std::vector<std::string> words = {"fthreadprof", "race", "--seed", absl::StrCat(*options.seed)};
  if (!options.python.empty()) words.insert(words.end(), {"--python", options.python});
  words.push_back("--");
  words.insert(words.end(), command.begin(), command.end());
  return ShellJoin(words);
}

absl::StatusOr<Setup> Prepare(const RaceOptions& options, const std::vector<std::string>& command) {
  Setup setup;
  FTP_ASSIGN_OR_RETURN(setup.filter, LoadRaceFilter(options.suppression, options.outputs));
  FTP_ASSIGN_OR_RETURN(setup.target, ResolveRaceTarget(command));
  if (!setup.target.python.empty()) {
    absl::StatusOr<PythonPackages> packages = AskForPackages(setup.target.python);
    if (packages.ok()) {
      setup.packages = *std::move(packages);
    } else if (!options.quiet) {
      Say(absl::StrCat(packages.status().message(), "; the command runs without them"));
    }
  }
  FTP_ASSIGN_OR_RETURN(setup.interpreter, FindInterpreter(options, setup.packages));
  FTP_ASSIGN_OR_RETURN(setup.environment,
                       MakeEnvironment(setup.target, setup.packages, setup.interpreter));
  setup.reproduce = CommandToReproduce(options, command);
  const std::string minor = setup.packages.MinorVersion();
  if (!options.quiet && !minor.empty() && minor != setup.interpreter.MinorVersion()) {
    Say(absl::StrCat(setup.target.python.string(), " is Python ", setup.packages.version,
                     "; the command runs under the instrumented CPython ",
                     setup.interpreter.version, " in its place"));
  }
  return setup;
}

void SayWhatRuns(const Setup& setup, const std::vector<std::string>& command_line) {
  Say(absl::StrCat("interpreter ", setup.interpreter.executable.string()));
  Say(absl::StrCat("environment ", setup.environment.bin.parent_path().string(), ", packages of ",
                   setup.packages.prefix.empty() ? "nobody" : setup.packages.prefix.string()));
  Say(absl::StrCat("runs ", absl::StrJoin(command_line, " ")));
}

// A log that could not be read to its end, or not be written: the report is not whole.
absl::Status CheckLogs(const RunDirectory& directory) {
  absl::Status result;
  for (const fs::path& run : directory.logs()) {
    FTP_ASSIGN_OR_RETURN(const std::vector<std::unique_ptr<RaceLog>> logs, ReadRaceLogFiles(run));
    for (const std::unique_ptr<RaceLog>& log : logs) result.Update(log->problem);
  }
  result.Update(directory.CheckRoom());
  return result;
}

absl::StatusOr<RaceReport> ReadReport(const RaceOptions& options, const Setup& setup,
                                      const RunDirectory& directory) {
  std::error_code ignored;
  ReportOptions report_options;
  report_options.working_directory = fs::current_path(ignored);
  report_options.source = !options.no_source;
  report_options.own_code = setup.filter.own_code;
  FTP_ASSIGN_OR_RETURN(RaceReport report, ReadRaceLogs(directory.logs(), report_options));
  report.reproduce = setup.reproduce;
  setup.filter.Apply(report);
  const fs::path& first = directory.logs().front();
  for (std::string& sentence : ExplainOtherBuilds(first, setup.interpreter, setup.environment)) {
    report.notices.push_back(std::move(sentence));
  }
  if (setup.target.kind == RaceTarget::Kind::kOther && !RanPython(first)) {
    report.notices.push_back(
        absl::StrCat(setup.target.file.string(),
                     " started no Python by its name on PATH, so nothing was watched; give the "
                     "Python program itself behind --"));
  }
  return report;
}

// Whether one run is not enough: with a seed and no number of runs, only when there is something to
// measure.
absl::StatusOr<bool> WantsMore(const RaceOptions& options, const Setup& setup, uint32_t runs,
                               const RunDirectory& directory) {
  if (options.runs || !options.seed) return runs > 1;
  FTP_ASSIGN_OR_RETURN(const RaceReport report, ReadReport(options, setup, directory));
  if (report.races.empty() || SignalCame()) return false;
  if (!options.quiet) {
    Say(absl::StrCat(Plural(report.races.size(), "race"), " found; the command runs ", runs - 1,
                     " more times to measure how often (--runs 1 leaves that out)"));
  }
  return true;
}

absl::StatusOr<RunEnd> RunOnce(const std::vector<std::string>& line, RunDirectory& directory) {
  FTP_ASSIGN_OR_RETURN(const fs::path log, directory.NewLog());
  absl::StatusOr<RunEnd> end = RunLogged(line, log);
  if (!end.ok()) directory.DropLog();
  return end;
}

struct Runs {
  int exit_status = 0;   // of the first run that failed
  absl::Status problem;  // why there are fewer than there should be
};

absl::StatusOr<Runs> RunAll(const RaceOptions& options, const Setup& setup,
                            const std::vector<std::string>& line, RunDirectory& directory) {
  PrepareRuns(directory, setup.environment, options.seed);
  const uint32_t runs = options.runs.value_or(options.seed ? kRunsToMeasure : 1);
  FTP_ASSIGN_OR_RETURN(RunEnd end, RunOnce(line, directory));
  Runs result = {end.exit_status, absl::OkStatus()};
  if (end.was_stopped) return result;
  FTP_ASSIGN_OR_RETURN(const bool wants_more, WantsMore(options, setup, runs, directory));
  for (uint32_t run = 2; wants_more && run <= runs && !SignalCame(); ++run) {
    absl::StatusOr<RunEnd> next = RunOnce(line, directory);
    if (!next.ok()) {  // what was found is reported all the same
      result.problem = next.status();
      return result;
    }
    if (result.exit_status == 0) result.exit_status = next->exit_status;
    if (next->was_stopped) break;
  }
  return result;
}

int ExitStatusFor(const RaceOptions& options, const RaceReport& report, int command_status) {
  const std::optional<Severity> severity = ParseSeverity(options.fail_on);
  return severity && report.CountAtLeast(*severity) > 0 ? kRacesFound : command_status;
}

absl::StatusOr<int> Report(const RaceOptions& options, const Setup& setup, const Runs& runs,
                           RunDirectory& directory) {
  absl::Status whole = runs.problem;
  whole.Update(CheckLogs(directory));
  FTP_ASSIGN_OR_RETURN(const RaceReport report, ReadReport(options, setup, directory));
  const int exit_status =
      whole.ok() ? ExitStatusFor(options, report, runs.exit_status) : kToolFailed;
  absl::Status written = WriteRaceOutputs(report, exit_status, options.outputs);
  // A report that is not whole must not take the place of a baseline that is.
  if (whole.ok()) written.Update(WriteBaseline(options.suppression, setup.filter, report));
  if (options.verbose || !whole.ok() || !written.ok()) {
    Say(absl::StrCat("the race log is kept in ", directory.log().string()));
    directory.Keep();
  }
  FTP_RETURN_IF_ERROR(written);
  FTP_RETURN_IF_ERROR(whole);
  return exit_status;
}

absl::StatusOr<int> RunRace(const RaceOptions& options, bool has_pid,
                            const std::vector<std::string>& command) {
  FTP_RETURN_IF_ERROR(CheckOptions(options, has_pid, command));
  if (options.coverage) {
    FTP_ASSIGN_OR_RETURN(const RaceInterpreter interpreter, FindInterpreter(options, {}));
    FTP_RETURN_IF_ERROR(PrintRaceCoverage(interpreter));
    return 0;
  }
  FTP_ASSIGN_OR_RETURN(const Setup setup, Prepare(options, command));
  FTP_ASSIGN_OR_RETURN(RunDirectory directory, RunDirectory::Make());
  FTP_RETURN_IF_ERROR(WriteShims(directory.bin(), setup.environment, setup.packages));
  const std::vector<std::string> line = setup.target.CommandLine(setup.environment.python());
  if (options.verbose) SayWhatRuns(setup, line);
  FTP_ASSIGN_OR_RETURN(const Runs runs, RunAll(options, setup, line, directory));
  return Report(options, setup, runs, directory);
}

void AddOptions(CLI::App& race, RaceOptions& options) {
  race.add_option(
          "-o,--output", options.outputs,
          "Write the report to FILE, as its ending says (.txt, .json, .sarif, .xml for JUnit, "
          ".html, .md, .codequality.json for GitLab); may be given more than once (default: "
          "text on standard error)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  race.add_option("--fail-on", options.fail_on,
                  "Exit with 66 when a race of this severity or worse was found: error, warning, "
                  "note, never")
      ->type_name("error|warning|note|never")
      ->capture_default_str();
  race.add_option("--level", options.level, "Which races to look for: python")
      ->type_name("LEVEL")
      ->capture_default_str();
  race.add_option("--python", options.python,
                  "The instrumented interpreter: a version of CPython to build, or the path of one "
                  "that is built (default: the version of the command's Python, or the nearest)")
      ->type_name("VERSION|PATH");
  options.suppression.AddTo(race);
  race.add_option("--seed", options.seed,
                  "Perturb the schedule: delay threads at random points where they synchronise or "
                  "meet; the same number makes the same choices again")
      ->type_name("N")
      ->check(CLI::Range(int64_t{0}, int64_t{UINT32_MAX}));
  race.add_option("--runs", options.runs,
                  "Run the command so many times and say in how many each race was seen (default: "
                  "1; with --seed 5, once a race was found)")
      ->type_name("N")
      ->check(CLI::Range(1U, kMostRuns));
  race.add_flag("--coverage", options.coverage, "Print what is tracked and what is not, and exit");
  race.add_flag("--no-source", options.no_source, "Put no source lines into the reports");
  race.add_flag("-v,--verbose", options.verbose, "Say what is run, and keep the log");
  race.add_flag("-q,--quiet", options.quiet, "Say nothing before the report");
}

}  // namespace

void AddRaceCommand(CLI::App& app, const std::vector<std::string>& command, int& exit_status) {
  auto options = std::make_shared<RaceOptions>();
  CLI::App* race = app.add_subcommand(
      "race", "Run a Python program under an instrumented interpreter and report its data races");
  race->footer(
      "Examples:\n"
      "  fthreadprof race -- python app.py --port 80\n"
      "  fthreadprof race -o races.html -o races.sarif --fail-on error -- pytest tests\n"
      "  fthreadprof race --suppressions race.supp --baseline known.json -- pytest tests\n"
      "  fthreadprof race --seed 7 -- pytest tests/test_pool.py\n"
      "  fthreadprof race --include cachetools --exclude tests -- python app.py\n"
      "  fthreadprof race --coverage");
  AddOptions(*race, *options);
  // Known only to be refused with the reason.
  CLI::Option* pid = race->add_option("-p,--pid", options->pid)->group("");
  race->callback([=, &command, &exit_status] {
    exit_status = ExitStatusOf(RunRace(*options, pid->count() > 0, command));
  });
}

}  // namespace fthreadprof
