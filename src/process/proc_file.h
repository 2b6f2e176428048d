// Reading of small files under /proc, whose size is not known before they are read.
#ifndef FTHREADPROF_PROCESS_PROC_FILE_H_
#define FTHREADPROF_PROCESS_PROC_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace fthreadprof {

// The whole file. Fails with kNotFound when it or its process is gone, kPermissionDenied when it
// may not be read.
absl::StatusOr<std::string> ReadProcFile(const std::string& path);

// What /proc/PID/stat or /proc/PID/task/TID/stat says.
struct ProcStat {
  pid_t parent_pid = 0;     // of the process; 0 where its parent is in no namespace of ours
  char state = 0;           // R, S, D, Z, ...: proc_pid_stat(5)
  uint64_t start_time = 0;  // clock ticks since boot: another process with the same id has another

  bool has_ended() const { return state == 'Z' || state == 'X'; }
};

// Fails with kInvalidArgument.
absl::StatusOr<ProcStat> ParseProcStat(std::string_view text);
// Fails as ReadProcFile.
absl::StatusOr<ProcStat> ReadProcStat(const std::string& path);

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROCESS_PROC_FILE_H_
