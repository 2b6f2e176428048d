// Reading of small files under /proc, whose size is not known before they are read.
#ifndef FTHREADPROF_PROCESS_PROC_FILE_H_
#define FTHREADPROF_PROCESS_PROC_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace fthreadprof {

// The whole file. Fails with kNotFound when it or its process is gone, kPermissionDenied when it
// may not be read.
absl::StatusOr<std::string> ReadProcFile(const std::string& path);

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROCESS_PROC_FILE_H_
