#include "cli/record_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "cli/exit_status.h"
#include "cli/peer_options.h"
#include "cli/recorder.h"
#include "export/exporter.h"
#include "export/summary.h"
#include "process/child_process.h"

namespace fthreadprof {
namespace {

constexpr double kMinRate = 0.1;
constexpr double kMaxRate = 100000;

struct RecordOptions {
  pid_t pid = 0;
  double duration_s = 0;
  double rate_hz = 1000;
  std::vector<std::string> outputs;
  std::string format;
  std::string summary;
  std::string mode = "active";
  bool idle = false;
  bool gil = false;
  bool threads = false;
  bool function_only = false;
  bool blocking = false;
  bool verbose = false;
  bool quiet = false;
};

// An output to write, its format known.
struct Output {
  std::string path;
  const ExportFormat* format;
};

SamplingMode ModeOf(const RecordOptions& options) {
  if (options.idle || options.mode == "wall") return SamplingMode::kWall;
  if (options.gil || options.mode == "gil") return SamplingMode::kGil;
  return options.mode == "cpu" ? SamplingMode::kCpu : SamplingMode::kActive;
}

absl::Status CheckOptions(const RecordOptions& options, bool has_duration,
                          const std::vector<std::string>& command) {
  if (options.pid != 0 && !command.empty()) {
    return absl::InvalidArgumentError("give either -p PID or -- COMMAND, not both");
  }
  if ((options.idle && options.gil) ||
      ((options.idle || options.gil) && options.mode != "active")) {
    return absl::InvalidArgumentError("give only one of --mode, --idle and --gil");
  }
  if (options.pid == 0 && command.empty()) {
    return absl::InvalidArgumentError("give a process with -p PID, or a command behind --");
  }
  if (options.pid < 0) return absl::InvalidArgumentError("-p takes the number of a process");
  if (!(options.rate_hz >= kMinRate && options.rate_hz <= kMaxRate)) {
    return absl::InvalidArgumentError(absl::StrCat("--rate ", options.rate_hz,
                                                   " is out of range: give between ", kMinRate,
                                                   " and ", kMaxRate, " samples a second"));
  }
  if (has_duration && !(options.duration_s > 0 && options.duration_s <= 1e9)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--duration ", options.duration_s, " is out of range: give seconds above 0"));
  }
  return absl::OkStatus();
}

// The outputs asked for, each checked for being writable before the work is done.
absl::StatusOr<std::vector<Output>> PlanOutputs(const RecordOptions& options, pid_t pid) {
  std::vector<std::string> paths = options.outputs;
  if (paths.empty() && (options.summary.empty() || !options.format.empty())) {
    FTP_ASSIGN_OR_RETURN(const ExportFormat* format, options.format.empty()
                                                         ? &ExportFormats().front()
                                                         : FindFormat(options.format));
    paths.push_back(absl::StrCat("fthreadprof-", pid, std::string(format->endings.front())));
  }
  std::vector<Output> outputs;
  std::set<std::string> seen;
  if (!options.summary.empty()) seen.insert(options.summary);
  for (const std::string& path : paths) {
    if (!seen.insert(path).second) {
      return absl::InvalidArgumentError(absl::StrCat("two outputs are called ", path));
    }
    if (path == "-" && options.format.empty()) {
      return absl::InvalidArgumentError("name the format of standard output with -f");
    }
    FTP_ASSIGN_OR_RETURN(const ExportFormat* format, options.format.empty()
                                                         ? FindFormatForPath(path)
                                                         : FindFormat(options.format));
    FTP_RETURN_IF_ERROR(AtomicFile::CheckWritable(path));
    outputs.push_back({path, format});
  }
  if (!options.summary.empty()) FTP_RETURN_IF_ERROR(AtomicFile::CheckWritable(options.summary));
  return outputs;
}

// Writes all that can be written; the first failure is the result.
absl::Status WriteOutputs(const Profile& profile, const std::vector<Output>& outputs,
                          const RecordOptions& options) {
  const ExportOptions export_options{.threads = options.threads,
                                     .function_only = options.function_only};
  absl::Status result;
  for (const Output& output : outputs) {
    result.Update(ExportToFile(profile, *output.format, export_options, output.path));
  }
  if (!options.summary.empty()) result.Update(WriteSummaryToFile(profile, options.summary));
  return result;
}

void PrintEnd(const Profile& profile, const std::vector<Output>& outputs) {
  const SamplingInfo& sampling = profile.sampling;
  std::fprintf(stderr, "%llu samples of %zu threads in %.1f s at %.0f Hz, %llu torn, %llu late\n",
               static_cast<unsigned long long>(sampling.samples), profile.threads().size(),
               sampling.duration_s, sampling.achieved_hz(),
               static_cast<unsigned long long>(sampling.torn),
               static_cast<unsigned long long>(sampling.late));
  for (const Output& output : outputs) std::fprintf(stderr, "wrote %s\n", output.path.c_str());
}

// Records and returns the exit status; a failure of ours is a status.
absl::StatusOr<int> Record(const RecordOptions& options, bool has_duration,
                           const std::vector<std::string>& command) {
  FTP_RETURN_IF_ERROR(CheckOptions(options, has_duration, command));
  SamplerOptions sampler_options{.rate_hz = options.rate_hz,
                                 .duration = std::nullopt,
                                 .mode = ModeOf(options),
                                 .blocking = options.blocking,
                                 .target_is_child = !command.empty()};
  if (has_duration) sampler_options.duration = absl::Seconds(options.duration_s);
  const bool show_progress = !options.quiet && isatty(STDERR_FILENO) != 0;

  // The outputs are checked first: a command must not run in vain.
  FTP_ASSIGN_OR_RETURN(const std::vector<Output> outputs,
                       PlanOutputs(options, options.pid != 0 ? options.pid : getpid()));
  std::unique_ptr<ChildProcess> child;
  if (!command.empty()) {
    FTP_ASSIGN_OR_RETURN(ChildProcess started, ChildProcess::Start(command));
    child = std::make_unique<ChildProcess>(started);
  }
  InstallStopSignals(child ? child->pid() : 0);
  Profile profile;
  Recorder recorder(sampler_options, {.progress = show_progress, .verbose = options.verbose});
  const absl::Status recorded = recorder.RecordProcess(child ? child->pid() : options.pid, profile);
  absl::Status written;
  // What was sampled before a failure is worth having.
  if (recorded.ok() || profile.sampling.samples > 0) {
    written = WriteOutputs(profile, outputs, options);
    if (show_progress || options.verbose) PrintEnd(profile, outputs);
  }
  const int command_status = child ? child->Wait() : 0;
  FTP_RETURN_IF_ERROR(recorded);
  FTP_RETURN_IF_ERROR(written);
  return command_status;
}

}  // namespace

void AddRecordCommand(CLI::App& app, const std::vector<std::string>& command, int& exit_status) {
  auto options = std::make_shared<RecordOptions>();
  CLI::App* record =
      app.add_subcommand("record",
                         "Sample a Python process (-p PID, or -- COMMAND...) and write "
                         "flamegraphs and more");
  record->footer(
      "Examples:\n"
      "  fthreadprof record -p 1234 -d 10 -o out.svg\n"
      "  fthreadprof record -o out.speedscope.json -o out.folded -- python3.14t app.py --port 80\n"
      "  fthreadprof record -p 1234 --idle -t --summary figures.json");
  record->add_option("-p,--pid", options->pid, "The process to look at")->type_name("PID");
  CLI::Option* duration =
      record->add_option("-d,--duration", options->duration_s,
                         "Stop sampling after so many seconds, and let a launched command run on "
                         "(default: when the process ends, or Ctrl-C)");
  duration->type_name("SECONDS");
  record->add_option("-r,--rate", options->rate_hz, "Samples a second of each thread")
      ->type_name("HZ")
      ->capture_default_str();
  record
      ->add_option(
          "-o,--output", options->outputs,
          "Write to FILE, in the format of its ending (.svg, .folded, .collapsed, "
          ".speedscope.json); may be given more than once, - is standard output and needs -f")
      ->type_name("FILE")
      ->allow_extra_args(false);
  record
      ->add_option("-f,--format", options->format,
                   "The format of all outputs, whatever their ending: flamegraph, collapsed, "
                   "speedscope")
      ->type_name("NAME");
  record->add_option("--summary", options->summary, "Write the recording's figures as JSON")
      ->type_name("FILE.json");
  record
      ->add_option("--mode", options->mode,
                   "Which samples outputs show: active (all but idle waits, sleep and I/O; "
                   "default), wall (all), cpu (running), gil (holding the GIL)")
      ->type_name("MODE")
      ->check(CLI::IsMember({"active", "wall", "cpu", "gil"}).description(""));
  record->add_flag("-i,--idle", options->idle, "The same as --mode wall");
  record->add_flag("-g,--gil", options->gil, "The same as --mode gil");
  record->add_flag("-t,--threads", options->threads, "Put a frame for each thread at the root");
  record->add_flag("-F,--function,--nolineno", options->function_only, "Leave out line numbers");
  record->add_flag("--blocking", options->blocking,
                   "Stop the process for each sample: no sample is ever torn, but it is slowed");
  record->add_flag("-v,--verbose", options->verbose, "Say what was found, and what it cost");
  record->add_flag("-q,--quiet", options->quiet, "Show no progress");
  AddPeerOptions(*record);
  record->callback([=, &command, &exit_status] {
    exit_status = ExitStatusOf(Record(*options, duration->count() > 0, command));
  });
}

}  // namespace fthreadprof
