#include "cli/interpreter_command.h"

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "cli/exit_status.h"
#include "interpreter/cache_layout.h"
#include "interpreter/instrumentation.h"
#include "interpreter/interpreter.h"
#include "interpreter/interpreter_builder.h"
#include "interpreter/interpreter_finder.h"
#include "nlohmann/json.hpp"

namespace fthreadprof {
namespace {

// What the command line sets; one for all subcommands.
struct Options {
  bool json = false;
  bool verbose = false;
  bool quiet = false;
  bool gil = false;
  bool all = false;
  std::string version;
  std::string flavor = kReleaseFlavor;  // of `path`
  std::vector<std::string> names;
  BuildSpec build;
};

void PrintSkipped(const FoundInterpreters& found, bool verbose) {
  if (!verbose) return;
  for (const std::string& why : found.skipped) std::cerr << "skipped: " << why << "\n";
}

nlohmann::ordered_json ToJson(const Interpreter& interpreter) {
  nlohmann::ordered_json json;
  json["version"] = interpreter.version.text;
  json["free_threaded"] = interpreter.free_threaded;
  json["executable"] = interpreter.executable.string();
  json["root"] = nullptr;
  if (!interpreter.root.empty()) json["root"] = interpreter.root.string();
  json["origin"] = OriginName(interpreter.origin);
  json["shared"] = interpreter.shared;
  json["flavor"] = interpreter.race ? kRaceFlavor : kReleaseFlavor;
  return json;
}

void PrintJson(const std::vector<Interpreter>& interpreters) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Interpreter& interpreter : interpreters) list.push_back(ToJson(interpreter));
  // A path need not be UTF-8; JSON must be.
  std::cout << list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

void PrintTable(const std::vector<Interpreter>& interpreters) {
  if (interpreters.empty()) {
    std::cout << "No CPython 3.13 or later was found; 'fthreadprof interpreter build' makes one.\n";
    return;
  }
  std::cout << absl::StreamFormat("%-12s %-14s %-9s %-8s %-12s %s\n", "VERSION", "BUILD",
                                  "LIBPYTHON", "FLAVOR", "FOUND IN", "EXECUTABLE");
  for (const Interpreter& interpreter : interpreters) {
    std::cout << absl::StreamFormat("%-12s %-14s %-9s %-8s %-12s %s%s\n", interpreter.version.text,
                                    interpreter.free_threaded ? "free-threaded" : "GIL",
                                    interpreter.shared ? "shared" : "static",
                                    interpreter.race ? kRaceFlavor : kReleaseFlavor,
                                    OriginName(interpreter.origin), interpreter.executable.string(),
                                    interpreter.root.empty() ? "" : " (in chroot)");
  }
}

absl::Status List(const Options& options) {
  const FoundInterpreters found =
      FindInterpreters(PlacesFromEnvironment(CacheLayout::FromEnvironment()));
  if (options.json) {
    PrintJson(found.interpreters);
  } else {
    PrintTable(found.interpreters);
  }
  PrintSkipped(found, options.verbose);
  return absl::OkStatus();
}

// One line on a terminal that is written over; one line a step with -v; else nothing.
class ProgressLine {
 public:
  explicit ProgressLine(const Options& options)
      : verbose_(options.verbose), terminal_(!options.quiet && isatty(STDERR_FILENO) != 0) {}
  ~ProgressLine() { Clear(); }

  void Show(const std::string& step) {
    const bool is_new = step != step_;
    step_ = step;
    if (verbose_) {
      if (is_new) std::cerr << step << "\n";
    } else if (terminal_) {
      const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - start_);
      std::cerr << absl::StreamFormat("\r\x1b[Kinterpreter: %s (%d s)", step, elapsed.count())
                << std::flush;
      shown_ = true;
    }
  }

  void Clear() {
    if (shown_) std::cerr << "\r\x1b[K" << std::flush;
    shown_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;
  const bool verbose_;
  const bool terminal_;
  const Clock::time_point start_ = Clock::now();
  std::string step_;
  bool shown_ = false;
};

absl::Status Build(const Options& options) {
  FTP_ASSIGN_OR_RETURN(const VersionRequest request, VersionRequest::Parse(options.version));
  if (options.gil && request.free_threaded()) {
    return absl::InvalidArgumentError(
        "--gil contradicts the t of the version; leave out one of them");
  }
  BuildSpec spec = options.build;
  spec.version = options.version;
  spec.free_threaded = !options.gil;
  ProgressLine progress(options);
  BuildListener listener;
  listener.on_progress = [&progress](const std::string& step) { progress.Show(step); };
  listener.on_notice = [&progress, &options](const std::string& notice) {
    progress.Clear();
    if (!options.quiet) std::cerr << "fthreadprof: " << notice << "\n";
  };
  InterpreterBuilder builder(CacheLayout::FromEnvironment(), listener);
  FTP_ASSIGN_OR_RETURN(const std::filesystem::path executable, builder.Build(spec));
  progress.Clear();
  std::cout << executable.string() << "\n";
  return absl::OkStatus();
}

absl::Status Path(const Options& options) {
  FTP_ASSIGN_OR_RETURN(VersionRequest request, VersionRequest::Parse(options.version));
  if (options.flavor != kReleaseFlavor && options.flavor != kRaceFlavor) {
    return absl::InvalidArgumentError("the flavors are release and race");
  }
  request.SetRace(options.flavor == kRaceFlavor);
  const FoundInterpreters found =
      FindInterpreters(PlacesFromEnvironment(CacheLayout::FromEnvironment()));
  PrintSkipped(found, options.verbose);
  FTP_ASSIGN_OR_RETURN(const Interpreter chosen,
                       ChooseInterpreter(found, request, options.version));
  std::cout << chosen.executable.string() << "\n";
  return absl::OkStatus();
}

absl::Status Remove(const Options& options) {
  const CacheLayout cache = CacheLayout::FromEnvironment();
  if (options.all == !options.names.empty()) {
    return absl::InvalidArgumentError(
        "name the cached interpreters to remove (a directory name under the cache, as 'interpreter "
        "list' shows it), or give --all");
  }
  const std::vector<std::string> keys = options.all ? CachedInterpreters(cache) : options.names;
  for (const std::string& key : keys) {
    FTP_RETURN_IF_ERROR(RemoveCachedInterpreter(cache, key));
    if (!options.quiet) std::cerr << "removed " << key << "\n";
  }
  return absl::OkStatus();
}

using Action = absl::Status (*)(const Options&);

CLI::App* AddAction(CLI::App& parent, const std::string& name, const std::string& description,
                    const std::shared_ptr<Options>& options, int& exit_status, Action action) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->add_flag("-v,--verbose", options->verbose, "say more on stderr");
  command->add_flag("-q,--quiet", options->quiet, "no progress");
  command->callback([options, &exit_status, action] {
    const absl::Status status = action(*options);
    if (!status.ok()) exit_status = ReportFailure(status);
  });
  return command;
}

void AddBuild(CLI::App& parent, const std::shared_ptr<Options>& options, int& exit_status) {
  CLI::App* build = AddAction(parent, "build", "build a CPython into the cache; print its path",
                              options, exit_status, Build);
  build->add_option("VERSION", options->version, "3.13t; default: whatever the source is");
  build
      ->add_option("--source", options->build.source,
                   "a source tree or tarball; default: Debian's source package")
      ->type_name("TREE|TARBALL");
  build->add_flag("--gil", options->gil, "with the GIL instead of free-threaded");
  build->add_flag("--shared", options->build.shared, "with libpython as a shared library");
  build->add_option("--flavor", options->build.flavor,
                    "race: the instrumented one of 'fthreadprof race'; default: release");
  build->footer(
      "Examples:\n  fthreadprof interpreter build 3.13t\n"
      "  fthreadprof interpreter build --source Python-3.14.0.tar.xz --shared\n"
      "  fthreadprof interpreter build 3.13t --flavor race");
}

}  // namespace

void AddInterpreterCommand(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App* interpreter =
      app.add_subcommand("interpreter", "find, build and remove CPython interpreters");
  interpreter->require_subcommand(1);
  interpreter->footer(
      "Looks in FTHREADPROF_PYTHONS (executables, prefixes or directories, separated by colons), "
      "PATH,\nthe cache (~/.cache/fthreadprof), uv's and pyenv's places.\nExamples:\n"
      "  fthreadprof interpreter list\n  fthreadprof interpreter build 3.13t\n"
      "  $(fthreadprof interpreter path t) -VV");

  CLI::App* list = AddAction(*interpreter, "list", "list the CPythons of this machine from 3.13 on",
                             options, exit_status, List);
  list->add_flag("--json", options->json, "as JSON");

  AddBuild(*interpreter, options, exit_status);

  CLI::App* path =
      AddAction(*interpreter, "path", "print the path of one of them", options, exit_status, Path);
  path->add_option("VERSION", options->version,
                   "3.13t, 3.14, or t for any free-threaded; default: the newest");
  path->add_option("--flavor", options->flavor, "release or race; default: release");

  CLI::App* remove = AddAction(*interpreter, "remove", "remove interpreters from the cache",
                               options, exit_status, Remove);
  remove->add_option("NAME", options->names, "the directory's name in the cache");
  remove->add_flag("--all", options->all, "every interpreter in the cache");
}

}  // namespace fthreadprof
