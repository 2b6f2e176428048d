#include "process/child_process.h"

#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

extern char** environ;

namespace fthreadprof {

absl::StatusOr<ChildProcess> ChildProcess::Start(const std::vector<std::string>& argv) {
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int error =
      posix_spawnp(&pid, argv[0].c_str(), nullptr, nullptr, arguments.data(), environ);
  if (error == 0) return ChildProcess(pid);
  return absl::ErrnoToStatus(error, absl::StrCat("cannot run ", argv[0]));
}

int ChildProcess::Wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return 125;
  }
  was_killed_ = WIFSIGNALED(status);
  return was_killed_ ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace fthreadprof
