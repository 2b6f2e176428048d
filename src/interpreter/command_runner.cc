#include "interpreter/command_runner.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"

namespace fthreadprof {
namespace {

using Clock = std::chrono::steady_clock;

// How often a program that closed its output, or writes to a log, is asked whether it has ended.
constexpr std::chrono::milliseconds kPollInterval{20};

absl::Status SystemError(const std::string& what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

// Only async-signal-safe calls from here on: we are between fork and exec.
[[noreturn]] void BecomeProgram(const Command& command, const char* program, char* const* arguments,
                                int output, int error, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  // Its own group can be killed whole; without a timeout it stays in ours, so that Ctrl-C reaches
  // it.
  if (command.timeout.count() > 0) setpgid(0, 0);
  const int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(error, STDERR_FILENO);
  if (!command.directory.empty() && chdir(command.directory.c_str()) != 0) _exit(127);
  execv(program, arguments);
  _exit(126);
}

// The running child: reads its output, ends it at the deadline, reaps it.
class Child {
 public:
  Child(pid_t pid, UniqueFd output, const Command& command)
      : pid_(pid), output_(std::move(output)), command_(command) {}

  absl::StatusOr<CommandResult> Wait() {
    const Clock::time_point start = Clock::now();
    Clock::time_point last_tick = start;
    while (true) {
      ReadOutput();
      if (std::optional<int> status = Reap()) return Result(*status);
      const Clock::time_point now = Clock::now();
      if (command_.timeout.count() > 0 && now - start > command_.timeout) return Kill();
      if (command_.on_tick && now - last_tick >= std::chrono::seconds(1)) {
        last_tick = now;
        command_.on_tick();
      }
    }
  }

 private:
  // Waits up to kPollInterval for output, and drops what goes beyond kMaxCapturedBytes.
  void ReadOutput() {
    struct pollfd waiting = {output_.get(), POLLIN, 0};
    // poll() ignores a negative descriptor, and so only sleeps once the output is closed.
    if (poll(&waiting, 1, static_cast<int>(kPollInterval.count())) > 0) ReadAvailable();
  }

  // False when nothing is left to read for now.
  bool ReadAvailable() {
    std::array<char, 4096> buffer;
    const ssize_t count = read(output_.get(), buffer.data(), buffer.size());
    if (count == 0) output_.Reset();
    if (count <= 0) return false;
    const size_t room = kMaxCapturedBytes - result_.output.size();
    result_.output.append(buffer.data(), std::min(static_cast<size_t>(count), room));
    return true;
  }

  std::optional<int> Reap() {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    return status;
  }

  absl::StatusOr<CommandResult> Result(int status) {
    // The descriptor does not block: a daemon that the program left behind may hold the other end.
    while (output_.valid() && ReadAvailable()) {
    }
    result_.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return std::move(result_);
  }

  absl::StatusOr<CommandResult> Kill() {
    kill(-pid_, SIGKILL);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    return absl::DeadlineExceededError(
        absl::StrCat(command_.arguments[0], " did not end within ",
                     std::chrono::duration<double>(command_.timeout).count(), " s"));
  }

  const pid_t pid_;
  UniqueFd output_;
  const Command& command_;
  CommandResult result_;
};

struct Outputs {
  UniqueFd read_end;  // invalid when the output goes to a log
  UniqueFd output;
  UniqueFd error;
};

absl::StatusOr<Outputs> OpenOutputs(const std::filesystem::path& log_file) {
  Outputs outputs;
  if (!log_file.empty()) {
    const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    outputs.output = UniqueFd(open(log_file.c_str(), flags, 0644));
    outputs.error = UniqueFd(open(log_file.c_str(), flags, 0644));
    if (!outputs.output.valid() || !outputs.error.valid()) {
      return SystemError(absl::StrCat("cannot write ", log_file.string()));
    }
    return outputs;
  }
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return SystemError("cannot make a pipe");
  outputs.read_end = UniqueFd(ends[0]);
  outputs.output = UniqueFd(ends[1]);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  outputs.error = UniqueFd(open("/dev/null", O_WRONLY | O_CLOEXEC));
  return outputs;
}

bool IsExecutableFile(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::filesystem::path FindProgram(const std::string& program) {
  if (program.find('/') != std::string::npos) {
    return IsExecutableFile(program) ? std::filesystem::absolute(program) : std::filesystem::path();
  }
  const char* path = std::getenv("PATH");
  if (path == nullptr) path = "/usr/bin:/bin";
  const std::vector<std::string> directories = absl::StrSplit(path, ':', absl::SkipEmpty());
  for (const std::string& directory : directories) {
    const std::filesystem::path candidate = std::filesystem::path(directory) / program;
    if (IsExecutableFile(candidate)) return std::filesystem::absolute(candidate);
  }
  return {};
}

absl::StatusOr<CommandResult> RunCommand(const Command& command) {
  const std::filesystem::path program = FindProgram(command.arguments[0]);
  if (program.empty()) {
    return absl::NotFoundError(absl::StrCat(command.arguments[0], " is not installed"));
  }
  FTP_ASSIGN_OR_RETURN(Outputs outputs, OpenOutputs(command.log_file));
  std::vector<char*> arguments;
  for (const std::string& argument : command.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return SystemError("cannot start a process");
  if (pid == 0) {
    BecomeProgram(command, program.c_str(), arguments.data(), outputs.output.get(),
                  outputs.error.get(), parent);
  }
  outputs.output.Reset();
  return Child(pid, std::move(outputs.read_end), command).Wait();
}

}  // namespace fthreadprof
