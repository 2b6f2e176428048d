// What commands share that look at a running process.
#ifndef FTHREADPROF_CLI_ATTACH_H_
#define FTHREADPROF_CLI_ATTACH_H_

#include "absl/status/status.h"
#include "process/os_process.h"

namespace fthreadprof {

// kPermissionDenied, with a sentence that says which right to read `process` is missing.
absl::Status ExplainPermission(const OsProcess& process);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_ATTACH_H_
