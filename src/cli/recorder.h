// Recorder attaches to a process, or launches a command, and samples it until one of the ends that
// cli.md names: the duration, SIGINT or SIGTERM, the target's end.
//
// Lifetime: installs signal handlers for the life of the process; at most one Recorder runs at a
// time. Thread safety: none.
#ifndef FTHREADPROF_CLI_RECORDER_H_
#define FTHREADPROF_CLI_RECORDER_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "profile/profile.h"
#include "sampler/sampler.h"

namespace fthreadprof {

class Recorder {
 public:
  // `show_progress`: a line on standard error that is rewritten while it samples.
  Recorder(const SamplerOptions& options, bool show_progress)
      : options_(options), show_progress_(show_progress) {}

  // Samples process `pid`. The status' message is one plain sentence for the user.
  absl::Status RecordProcess(pid_t pid, Profile& profile);

 private:
  absl::Status Attach(OsProcess& process, ProcessMemory& memory, Sampler& sampler,
                      Profile& profile);

  SamplerOptions options_;
  bool show_progress_;
};

// From now on SIGINT and SIGTERM end the recording instead of the process; those that were sent to
// us alone are passed on to the process `forward_to` (0: to none).
void InstallStopSignals(pid_t forward_to);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_RECORDER_H_
