#include "cli/exit_status.h"

#include <algorithm>
#include <cstdio>
#include <string>

namespace fthreadprof {

int ReportFailure(const absl::Status& status) {
  std::string message(status.message());
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::fprintf(stderr, "fthreadprof: %s\n", message.c_str());
  return kToolFailed;
}

int ExitStatusOf(const absl::StatusOr<int>& result) {
  return result.ok() ? *result : ReportFailure(result.status());
}

}  // namespace fthreadprof
