#include "cli/record_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/exit_status.h"
#include "cli/outputs.h"
#include "cli/peer_options.h"
#include "cli/recorder.h"
#include "export/digest.h"
#include "process/child_process.h"

namespace fthreadprof {
namespace {

constexpr double kMinRate = 0.1;
constexpr double kMaxRate = 100000;

struct RecordOptions {
  pid_t pid = 0;
  double duration_s = 0;
  double rate_hz = 1000;
  OutputOptions output;
  bool blocking = false;
  bool tasks = false;
  bool verbose = false;
  bool quiet = false;
};

absl::Status CheckOptions(const RecordOptions& options, bool has_duration,
                          const std::vector<std::string>& command) {
  if (options.pid != 0 && !command.empty()) {
    return absl::InvalidArgumentError("give either -p PID or -- COMMAND, not both");
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

void PrintEnd(const Profile& profile, const Outputs& outputs) {
  const SamplingInfo& sampling = profile.sampling;
  const auto threads = std::count_if(profile.threads().begin(), profile.threads().end(),
                                     [](const ProfiledThread& thread) { return !thread.tasks; });
  std::fprintf(stderr, "%llu samples of %td thread%s in %.1f s at %.0f Hz, %llu torn, %llu late\n",
               static_cast<unsigned long long>(sampling.samples), threads, threads == 1 ? "" : "s",
               sampling.duration_s, sampling.achieved_hz(),
               static_cast<unsigned long long>(sampling.torn),
               static_cast<unsigned long long>(sampling.late));
  outputs.PrintWritten();
}

// Records and returns the exit status; a failure of ours is a status.
absl::StatusOr<int> Record(const RecordOptions& options, bool has_duration,
                           const std::vector<std::string>& command) {
  FTP_RETURN_IF_ERROR(CheckOptions(options, has_duration, command));
  FTP_ASSIGN_OR_RETURN(const std::optional<SamplingMode> mode, ChosenMode(options.output));
  SamplerOptions sampler_options{.rate_hz = options.rate_hz,
                                 .duration = std::nullopt,
                                 .mode = mode.value_or(SamplingMode::kActive),
                                 .blocking = options.blocking,
                                 .target_is_child = !command.empty(),
                                 .tasks = options.tasks};
  if (has_duration) sampler_options.duration = absl::Seconds(options.duration_s);
  const bool show_progress = !options.quiet && isatty(STDERR_FILENO) != 0;

  // The outputs are checked first: a command must not run in vain.
  FTP_ASSIGN_OR_RETURN(
      Outputs outputs,
      Outputs::Plan(options.output,
                    absl::StrCat("fthreadprof-", options.pid != 0 ? options.pid : getpid())));
  std::unique_ptr<ChildProcess> child;
  if (!command.empty()) {
    FTP_ASSIGN_OR_RETURN(ChildProcess started, ChildProcess::Start(command));
    child = std::make_unique<ChildProcess>(started);
  }
  InstallStopSignals(child ? child->pid() : 0);
  Profile profile;
  outputs.Follow(profile);
  Recorder recorder(sampler_options, {.progress = show_progress, .verbose = options.verbose});
  const pid_t pid = child ? child->pid() : options.pid;
  const absl::Status recorded = options.output.processes ? recorder.RecordTree(pid, profile)
                                                         : recorder.RecordProcess(pid, profile);
  absl::Status written;
  // What was sampled before a failure is worth having.
  if (recorded.ok() || profile.sampling.samples > 0) {
    written = outputs.Write(profile);
    if (show_progress || options.verbose) {
      PrintEnd(profile, outputs);
    } else if (!options.quiet && outputs.named_by_us() && written.ok()) {
      outputs.PrintWritten();
    }
    if (!options.quiet && recorded.ok() && written.ok()) {
      std::fputs(Digest(profile, std::thread::hardware_concurrency()).c_str(), stderr);
    }
  }
  const int command_status = child ? child->Wait() : 0;
  FTP_RETURN_IF_ERROR(recorded);
  FTP_RETURN_IF_ERROR(written);
  FTP_ASSIGN_OR_RETURN(const int gates, outputs.CheckGates(profile));
  return command_status != 0 ? command_status : gates;
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
      "  fthreadprof record -p 1234 --idle -t --summary figures.json\n"
      "  fthreadprof record -p 1234 --async -t -o tasks.svg\n"
      "  fthreadprof record -s -o out.svg -- gunicorn -w 8 app:application\n"
      "  fthreadprof record -p 1234 -d 60 -o out.ftp    (for 'fthreadprof report out.ftp')");
  record->add_option("-p,--pid", options->pid, "The process to look at")->type_name("PID");
  CLI::Option* duration =
      record->add_option("-d,--duration", options->duration_s,
                         "Stop sampling after so many seconds, and let a launched command run on "
                         "(default: when the process ends, or Ctrl-C)");
  duration->type_name("SECONDS");
  record->add_option("-r,--rate", options->rate_hz, "Samples a second of each thread")
      ->type_name("HZ")
      ->capture_default_str();
  AddOutputOptions(*record, "fthreadprof-PID.svg", "active",
                   "Follow the processes that it starts too, and put a frame for each process at "
                   "the root; ends when all have ended",
                   options->output);
  record->add_flag("--async", options->tasks,
                   "Show the asyncio tasks that wait, too, each under its name and the task that "
                   "awaits it");
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
