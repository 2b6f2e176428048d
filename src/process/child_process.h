// ChildProcess is a command that we launched.
//
// Lifetime: does not end the child; call Wait() before the object goes, or it stays a zombie.
// Thread safety: none.
#ifndef FTHREADPROF_PROCESS_CHILD_PROCESS_H_
#define FTHREADPROF_PROCESS_CHILD_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace fthreadprof {

class ChildProcess {
 public:
  // Starts the program argv[0] (looked up in PATH) with our standard streams and environment. Fails
  // with kNotFound or kPermissionDenied when there is none to run. REQUIRES: argv is not empty.
  static absl::StatusOr<ChildProcess> Start(const std::vector<std::string>& argv);

  pid_t pid() const { return pid_; }
  // Waits for its end and returns the exit status as a shell has it: 128 + n for signal n.
  int Wait();
  // Whether a signal ended it. REQUIRES: Wait() has returned.
  bool was_killed() const { return was_killed_; }

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}

  pid_t pid_;
  bool was_killed_ = false;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROCESS_CHILD_PROCESS_H_
