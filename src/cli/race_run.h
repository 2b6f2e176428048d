// RaceRun: the command, run with its races logged.
//
// RunDirectory is a run's place in the temporary directory: `log` takes what the runtime of each
// process writes, `bin` the shims. It goes with the object unless kept. RunLogged may be called
// once in a process: it sets environment variables and signal handlers. Errors are sentences for
// the user.
#ifndef FTHREADPROF_CLI_RACE_RUN_H_
#define FTHREADPROF_CLI_RACE_RUN_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/race_environment.h"

namespace fthreadprof {

class RunDirectory {
 public:
  [[nodiscard]] static absl::StatusOr<RunDirectory> Make();
  RunDirectory(RunDirectory&& other) noexcept : path_(std::move(other.path_)) { other.Keep(); }
  RunDirectory& operator=(RunDirectory&&) = delete;
  ~RunDirectory();

  std::filesystem::path log() const { return path_ / "log"; }
  std::filesystem::path bin() const { return path_ / "bin"; }
  void Keep() { path_.clear(); }

  // Fails with kResourceExhausted when nothing more can be written there: races may be missing.
  absl::Status CheckRoom() const;

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
};

// Runs `command_line` with PATH, log directory and signals set up, and waits for its end. The
// result is its exit status as a shell has it. SIGINT, SIGTERM, SIGHUP and SIGQUIT end the command,
// not us.
[[nodiscard]] absl::StatusOr<int> RunLogged(const std::vector<std::string>& command_line,
                                            const RunDirectory& directory,
                                            const RaceEnvironment& environment);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_RACE_RUN_H_
