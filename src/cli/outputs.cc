#include "cli/outputs.h"

#include <cstdio>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "export/summary.h"

namespace fthreadprof {
namespace {

std::string KnownEndings() {
  std::vector<std::string> endings;
  for (const ExportFormat& format : ExportFormats()) {
    endings.insert(endings.end(), format.endings.begin(), format.endings.end());
  }
  return absl::StrJoin(endings, ", ");
}

std::vector<std::string> StateNames() {
  std::vector<std::string> names;
  for (size_t i = 0; i < kThreadStateCount; ++i) {
    const auto state = static_cast<ThreadState>(i);
    // Apportioned: no sample has it.
    if (state != ThreadState::kRunnable) names.emplace_back(ThreadStateName(state));
  }
  return names;
}

std::string KnownFormats() {
  return absl::StrJoin(ExportFormats(), ", ", [](std::string* out, const ExportFormat& format) {
    out->append(format.name);
  });
}

}  // namespace

void AddOutputOptions(CLI::App& command, const std::string& default_output,
                      const std::string& default_mode, const std::string& subprocesses,
                      OutputOptions& options) {
  command
      .add_option("-o,--output", options.paths,
                  absl::StrCat("Write to FILE, in the format of its ending (", KnownEndings(),
                               "); may be given more than once, - is standard output and needs -f; "
                               "default: ",
                               default_output))
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      .add_option(
          "-f,--format", options.format,
          absl::StrCat("The format of all outputs, whatever their ending: ", KnownFormats()))
      ->type_name("NAME");
  command.add_option("--summary", options.summary, "Write the recording's figures as JSON")
      ->type_name("FILE.json");
  command
      .add_option("--mode", options.mode,
                  absl::StrCat("Which samples outputs show: active (all but idle waits, sleep and "
                               "I/O), wall (all), cpu (running), gil (holding the GIL); default: ",
                               default_mode))
      ->type_name("active|wall|cpu|gil")
      ->check(CLI::IsMember({"active", "wall", "cpu", "gil"}).description(""));
  command.add_flag("-i,--idle", options.idle, "The same as --mode wall");
  command.add_flag("-g,--gil", options.gil, "The same as --mode gil");
  command
      .add_option("--state", options.selected_states,
                  "Show only samples in this state, as in 'gil_wait', of all modes unless one "
                  "is given (repeatable)")
      ->type_name("STATE")
      ->allow_extra_args(false)
      ->check(CLI::IsMember(StateNames()).description(""));
  command
      .add_option("--thread", options.selected_threads,
                  "Show only threads of this name, * standing for anything, as in 'worker-*' "
                  "(repeatable)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command.add_flag("-s,--subprocesses", options.processes, subprocesses);
  command.add_flag("-t,--threads", options.threads,
                   "Put a frame for each thread at the root, or under its process");
  command
      .add_option("--fail-if", options.fail_if,
                  "Exit with 3 when a figure is beyond a limit, as in 'gil_wait>5%', "
                  "'effective_cores<1.5', 'torn>1%' (repeatable)")
      ->type_name("FIGURE<>LIMIT")
      ->allow_extra_args(false);
  command.add_flag("-F,--function,--nolineno", options.function_only, "Leave out line numbers");
  command.add_flag("--by-state", options.by_state,
                   "Put a frame for the state, as in '[gil_wait]', at the innermost end of each "
                   "stack");
}

absl::StatusOr<std::optional<SamplingMode>> ChosenMode(const OutputOptions& options) {
  if (int{!options.mode.empty()} + int{options.idle} + int{options.gil} > 1) {
    return absl::InvalidArgumentError("give only one of --mode, --idle and --gil");
  }
  if (options.idle) return SamplingMode::kWall;
  if (options.gil) return SamplingMode::kGil;
  for (size_t i = 0; i < kSamplingModeCount; ++i) {
    const auto mode = static_cast<SamplingMode>(i);
    if (options.mode == SamplingModeName(mode)) return mode;
  }
  if (!options.selected_states.empty()) return SamplingMode::kWall;
  return std::nullopt;
}

absl::StatusOr<Outputs> Outputs::Plan(const OutputOptions& options, const std::string& stem) {
  std::vector<std::string> paths = options.paths;
  Outputs planned;
  if (paths.empty() && (options.summary.empty() || !options.format.empty())) {
    planned.named_by_us_ = true;
    FTP_ASSIGN_OR_RETURN(const ExportFormat* format, options.format.empty()
                                                         ? &ExportFormats().front()
                                                         : FindFormat(options.format));
    paths.push_back(absl::StrCat(stem, std::string(format->endings.front())));
  }
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
    planned.outputs_.push_back({path, format});
  }
  if (!options.selected_states.empty()) planned.states_.reset();
  for (const std::string& name : options.selected_states) {
    if (const auto state = FindThreadState(name)) planned.states_.set(static_cast<size_t>(*state));
  }
  planned.threads_ = options.selected_threads;
  for (const std::string& text : options.fail_if) {
    FTP_ASSIGN_OR_RETURN(Gate gate, Gate::Parse(text));
    planned.gates_.push_back(std::move(gate));
  }
  if (!options.summary.empty()) FTP_RETURN_IF_ERROR(AtomicFile::CheckWritable(options.summary));
  planned.summary_ = options.summary;
  planned.export_options_ = {.processes = options.processes,
                             .threads = options.threads,
                             .function_only = options.function_only,
                             .by_state = options.by_state};
  return planned;
}

std::vector<std::string> Outputs::Paths() const {
  std::vector<std::string> paths;
  for (const Output& output : outputs_) paths.push_back(output.path);
  if (!summary_.empty()) paths.push_back(summary_);
  return paths;
}

void Outputs::Follow(Profile& profile) {
  profile.sampling.states = states_;
  profile.sampling.threads = threads_;
  std::vector<std::string> recordings;
  for (const Output& output : outputs_) {
    if (output.format->write == nullptr) recordings.push_back(output.path);
  }
  if (recordings.empty()) return;
  // The summary needs counts only: an hour's recording takes no more memory than a minute's.
  if (recordings.size() == outputs_.size()) profile.ForgetSamples();
  recording_ = std::make_unique<RecordingWriter>(profile, std::move(recordings));
}

absl::Status Outputs::Write(Profile& profile) {
  absl::Status result;
  if (recording_ != nullptr) result.Update(recording_->Finish());
  const absl::Status selected = profile.SelectThreads();
  result.Update(selected);
  for (const Output& output : outputs_) {
    if (output.format->write == nullptr || !selected.ok()) continue;
    result.Update(ExportToFile(profile, *output.format, export_options_, output.path));
  }
  if (!summary_.empty()) result.Update(WriteSummaryToFile(profile, summary_));
  return result;
}

absl::StatusOr<int> Outputs::CheckGates(const Profile& profile) const {
  int status = 0;
  for (const Gate& gate : gates_) {
    FTP_ASSIGN_OR_RETURN(const std::optional<std::string> beyond, gate.Check(profile));
    if (!beyond) continue;
    std::fprintf(stderr, "fthreadprof: %s\n", beyond->c_str());
    status = kGateHolds;
  }
  return status;
}

void Outputs::PrintWritten() const {
  for (const Output& output : outputs_) std::fprintf(stderr, "wrote %s\n", output.path.c_str());
}

}  // namespace fthreadprof
