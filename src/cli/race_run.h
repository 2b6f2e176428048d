// RaceRun: the command, run with its races logged.
//
// RunDirectory is what the runs of a command have in the temporary directory: each a directory in
// `log`, which takes what the runtime of each process writes, and the shims in `bin`. It goes with
// the object unless kept. PrepareRuns may be called once in a process: it sets environment
// variables and signal handlers. Errors are sentences for the user.
#ifndef FTHREADPROF_CLI_RACE_RUN_H_
#define FTHREADPROF_CLI_RACE_RUN_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/race_environment.h"

namespace fthreadprof {

class RunDirectory {
 public:
  [[nodiscard]] static absl::StatusOr<RunDirectory> Make();
  RunDirectory(RunDirectory&& other) noexcept
      : path_(std::move(other.path_)), logs_(std::move(other.logs_)) {
    other.Keep();
  }
  RunDirectory& operator=(RunDirectory&&) = delete;
  ~RunDirectory();

  std::filesystem::path log() const { return path_ / "log"; }
  std::filesystem::path bin() const { return path_ / "bin"; }
  // Those of the runs so far, in their order.
  const std::vector<std::filesystem::path>& logs() const { return logs_; }
  [[nodiscard]] absl::StatusOr<std::filesystem::path> NewLog();
  // The last one's command could not be started.
  void DropLog() { logs_.pop_back(); }
  void Keep() { path_.clear(); }

  // Fails with kResourceExhausted when nothing more can be written there: races may be missing.
  absl::Status CheckRoom() const;

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
  std::vector<std::filesystem::path> logs_;
};

// Sets up PATH and signals, and the seed by which the schedule is perturbed. SIGINT, SIGTERM,
// SIGHUP and SIGQUIT end the command from then on, not us.
void PrepareRuns(const RunDirectory& directory, const RaceEnvironment& environment,
                 std::optional<uint32_t> seed);

struct RunEnd {
  int exit_status = 0;  // as a shell has it
  // A signal ended the command, or one of those of PrepareRuns came to us: it is not wanted again.
  bool was_stopped = false;
};

// Runs `command_line` and waits for its end. REQUIRES: PrepareRuns.
[[nodiscard]] absl::StatusOr<RunEnd> RunLogged(const std::vector<std::string>& command_line,
                                               const std::filesystem::path& log);
// Whether one of the signals of PrepareRuns has come.
bool SignalCame();

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_RACE_RUN_H_
