#include "cli/report_command.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "cli/exit_status.h"
#include "cli/outputs.h"
#include "export/gil_text.h"
#include "profile/recording_reader.h"

namespace fthreadprof {
namespace {

struct ReportCommandOptions {
  std::string recording;
  OutputOptions output;
};

absl::Status CheckIsAnotherFile(const std::string& output, const struct stat& recording) {
  struct stat there;
  if (stat(output.c_str(), &there) == 0 && S_ISREG(there.st_mode) &&
      there.st_dev == recording.st_dev && there.st_ino == recording.st_ino) {
    return absl::InvalidArgumentError(
        absl::StrCat("the output ", output, " is the recording itself: give another name"));
  }
  return absl::OkStatus();
}

absl::StatusOr<int> Report(const ReportCommandOptions& options) {
  FTP_ASSIGN_OR_RETURN(const std::optional<SamplingMode> mode, ChosenMode(options.output));
  struct stat recording;
  if (stat(options.recording.c_str(), &recording) != 0 || S_ISDIR(recording.st_mode)) {
    return absl::NotFoundError(absl::StrCat("there is no recording ", options.recording));
  }
  std::ifstream in(options.recording, std::ios::binary);
  if (!in) {
    return absl::PermissionDeniedError(
        absl::StrCat("cannot read ", options.recording, ": ", std::strerror(errno)));
  }
  FTP_ASSIGN_OR_RETURN(
      Outputs outputs,
      Outputs::Plan(options.output, std::string(absl::StripSuffix(options.recording, ".ftp"))));
  // Also the names that were not given: '-f recording' alone would be the recording's own.
  for (const std::string& path : outputs.Paths()) {
    FTP_RETURN_IF_ERROR(CheckIsAnotherFile(path, recording));
  }
  Profile profile;
  outputs.Follow(profile);
  FTP_ASSIGN_OR_RETURN(const RecordingEnd end, ReadRecording(in, options.recording, mode, profile));
  if (end == RecordingEnd::kCutOff) {
    std::fprintf(stderr, "fthreadprof: %s was cut off; this is what it has\n",
                 options.recording.c_str());
  }
  if (const std::optional<std::string> warning = GilWarning(profile)) {
    std::fprintf(stderr, "%s\n", warning->c_str());
  }
  FTP_RETURN_IF_ERROR(outputs.Write(profile));
  if (outputs.named_by_us()) outputs.PrintWritten();
  return outputs.CheckGates(profile);
}

}  // namespace

void AddReportCommand(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<ReportCommandOptions>();
  CLI::App* report =
      app.add_subcommand("report", "Turn a recording (record -o FILE.ftp) into other outputs");
  report->footer(
      "Examples:\n"
      "  fthreadprof report out.ftp -o out.svg -o out.pb.gz\n"
      "  fthreadprof report out.ftp --idle -t -f collapsed -o -\n"
      "  fthreadprof report out.ftp --idle --by-state -o states.svg");
  report->add_option("recording", options->recording, "What record -o FILE.ftp wrote")
      ->type_name("RECORDING")
      ->required();
  AddOutputOptions(*report, "NAME.svg for NAME.ftp", "that of the recording",
                   "Put a frame for each process at the root", options->output);
  report->callback([=, &exit_status] { exit_status = ExitStatusOf(Report(*options)); });
}

}  // namespace fthreadprof
