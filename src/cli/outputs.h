// The outputs of `record` and `report`: their options, and their writing. Both commands have the
// same options, so that a report of a recording is what recording straight to it would have been.
//
// Thread safety: none.
#ifndef FTHREADPROF_CLI_OUTPUTS_H_
#define FTHREADPROF_CLI_OUTPUTS_H_

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/gate.h"
#include "export/exporter.h"
#include "profile/profile.h"
#include "profile/recording_writer.h"

namespace fthreadprof {

struct OutputOptions {
  std::vector<std::string> paths;
  std::string format;
  std::string summary;
  std::string mode;
  bool idle = false;
  bool gil = false;
  bool processes = false;
  bool threads = false;
  bool function_only = false;
  bool by_state = false;
  std::vector<std::string> selected_states;   // --state
  std::vector<std::string> selected_threads;  // --thread
  std::vector<std::string> fail_if;           // Gate::Parse
};

// Adds the options to `command`, which fill in `options` when it is parsed. `default_output` and
// `default_mode` are what --help says about those, `subprocesses` what it says about -s.
void AddOutputOptions(CLI::App& command, const std::string& default_output,
                      const std::string& default_mode, const std::string& subprocesses,
                      OutputOptions& options);

// The mode that --mode, --idle, --gil or --state choose, if any. Fails when more than one of the
// first three is given.
absl::StatusOr<std::optional<SamplingMode>> ChosenMode(const OutputOptions& options);

class Outputs {
 public:
  // The outputs asked for, each checked for being writable before the work is done. `stem`: the
  // name of the output when none is given, but for its ending.
  static absl::StatusOr<Outputs> Plan(const OutputOptions& options, const std::string& stem);

  // All files that will be written, the summary among them.
  std::vector<std::string> Paths() const;
  // Says which samples `profile` is to show, and begins what is written while it grows. REQUIRES:
  // it has no samples yet, outlives this, and does not move.
  void Follow(Profile& profile);
  // Writes all that can be written; the first failure is the result. Leaves in `profile` only the
  // samples that were to be shown.
  absl::Status Write(Profile& profile);
  // Says on standard error which gates hold; returns the exit status that they ask for. Fails when
  // one has nothing to compare.
  absl::StatusOr<int> CheckGates(const Profile& profile) const;
  // A line for each file on standard error.
  void PrintWritten() const;
  // Whether the user left it to us what the output is called.
  bool named_by_us() const { return named_by_us_; }

 private:
  struct Output {
    std::string path;
    const ExportFormat* format;
  };

  std::vector<Output> outputs_;
  bool named_by_us_ = false;
  std::vector<Gate> gates_;
  ThreadStates states_ = ThreadStates().set();
  std::vector<std::string> threads_;
  std::string summary_;
  ExportOptions export_options_;
  std::unique_ptr<RecordingWriter> recording_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_OUTPUTS_H_
