// Recorder attaches to a process and samples it until one of the ends that docs/cli.md names: the
// duration, SIGINT or SIGTERM, the target's end.
//
// Lifetime: at most one RecordProcess runs at a time, for InstallStopSignals ends that one; the
// handlers stay for the life of our process. Thread safety: none.
#ifndef FTHREADPROF_CLI_RECORDER_H_
#define FTHREADPROF_CLI_RECORDER_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "profile/profile.h"
#include "sampler/sampler.h"

namespace fthreadprof {

// What to say on standard error besides failures.
struct RecorderReporting {
  bool progress = false;  // a line that is rewritten while it samples
  bool verbose = false;   // what was found, and what it cost
};

class Recorder {
 public:
  Recorder(const SamplerOptions& options, RecorderReporting reporting)
      : options_(options), reporting_(reporting) {}

  // Samples process `pid`. The status' message is one plain sentence for the user.
  absl::Status RecordProcess(pid_t pid, Profile& profile);
  // Samples process `pid` and those that it starts. What keeps us from some of those is said on
  // standard error.
  absl::Status RecordTree(pid_t pid, Profile& profile);

 private:
  absl::Status Attach(OsProcess& process, ProcessMemory& memory, Sampler& sampler,
                      Profile& profile);

  SamplerOptions options_;
  RecorderReporting reporting_;
};

// From now on SIGINT and SIGTERM end the recording instead of the process; those that were sent to
// us alone are passed on to the process `forward_to` (0: to none).
void InstallStopSignals(pid_t forward_to);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_RECORDER_H_
