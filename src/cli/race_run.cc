#include "cli/race_run.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"
#include "process/child_process.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;

constexpr size_t kRoomForALog = 1 << 16;

std::atomic<pid_t> signal_target{0};
std::atomic<int> early_signal{0};  // came before there was a command to send it to
std::atomic<bool> signal_came{false};

void OnSignal(int signal, siginfo_t* info, void*) {
  signal_came.store(true);
  // A terminal sends its signals to the whole process group, so to the command too.
  if (info->si_code == SI_KERNEL) return;
  const pid_t command = signal_target.load();
  if (command != 0) {
    kill(command, signal);
  } else {
    early_signal.store(signal);
  }
}

void ForwardSignals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction action = {};
    sigaction(signal, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;  // nohup: the command ignores it too
    action = {};
    action.sa_sigaction = OnSignal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(signal, &action, nullptr);
  }
}

void SetVariables(const RunDirectory& directory, const RaceEnvironment& environment) {
  const char* path = std::getenv("PATH");
  const std::string before =
      absl::StrCat(environment.bin.string(), ":", directory.bin().string(), ":");
  setenv("PATH", absl::StrCat(before, path == nullptr ? "/usr/bin:/bin" : path).c_str(), 1);
  unsetenv("PYTHONHOME");  // is the home of another Python
}

absl::Status CannotWriteLog(const fs::path& path, const std::string& why) {
  return absl::UnavailableError(absl::StrCat("cannot write the race log to ", path.string(), ": ",
                                             why, "; TMPDIR can name another directory"));
}

}  // namespace

absl::StatusOr<RunDirectory> RunDirectory::Make() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  std::string name = (error ? fs::path("/tmp") : parent) / "fthreadprof-race-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) {
    return CannotWriteLog(name, std::strerror(errno));
  }
  RunDirectory directory(name);
  for (const fs::path& made : {directory.log(), directory.bin()}) {
    fs::create_directory(made, error);
    if (error) return CannotWriteLog(made, error.message());
  }
  return directory;
}

RunDirectory::~RunDirectory() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

absl::Status RunDirectory::CheckRoom() const {
  const fs::path probe = path_ / "probe";
  const UniqueFd fd(open(probe.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  std::array<char, kRoomForALog> zeros = {};
  const bool fits = fd.valid() && write(fd.get(), zeros.data(), zeros.size()) ==
                                      static_cast<ssize_t>(zeros.size());
  std::error_code ignored;
  fs::remove(probe, ignored);
  if (fits) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("races may be missing: there is no space left in ", path_.string(),
                   " for the race log; free some, or name another directory in TMPDIR"));
}

absl::StatusOr<fs::path> RunDirectory::NewLog() {
  const fs::path log = this->log() / absl::StrCat(logs_.size() + 1);
  std::error_code error;
  fs::create_directory(log, error);
  if (error) return CannotWriteLog(log, error.message());
  logs_.push_back(log);
  return log;
}

void PrepareRuns(const RunDirectory& directory, const RaceEnvironment& environment,
                 std::optional<uint32_t> seed) {
  SetVariables(directory, environment);
  if (seed) {
    setenv("FTHREADPROF_RACE_SEED", absl::StrCat(*seed).c_str(), 1);
  } else {
    unsetenv("FTHREADPROF_RACE_SEED");
  }
  ForwardSignals();
}

bool SignalCame() { return signal_came.load(); }

absl::StatusOr<RunEnd> RunLogged(const std::vector<std::string>& command_line,
                                 const fs::path& log) {
  setenv("FTHREADPROF_RACE_LOG", log.c_str(), 1);
  FTP_ASSIGN_OR_RETURN(ChildProcess child, ChildProcess::Start(command_line));
  signal_target.store(child.pid());
  if (const int signal = early_signal.exchange(0); signal != 0) kill(child.pid(), signal);
  const int status = child.Wait();
  signal_target.store(0);
  return RunEnd{status, child.was_killed() || SignalCame()};
}

}  // namespace fthreadprof
