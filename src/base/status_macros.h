// Propagation of absl::Status without exceptions. The two macros return early from a function whose
// result is a Status or a StatusOr.
#ifndef FTHREADPROF_BASE_STATUS_MACROS_H_
#define FTHREADPROF_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define FTP_RETURN_IF_ERROR(expression)                             \
  do {                                                              \
    if (absl::Status ftp_status = (expression); !ftp_status.ok()) { \
      return ftp_status;                                            \
    }                                                               \
  } while (false)

#define FTP_CONCAT_INNER(a, b) a##b
#define FTP_CONCAT(a, b) FTP_CONCAT_INNER(a, b)
#define FTP_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                       \
  if (!result.ok()) {                                               \
    return std::move(result).status();                              \
  }                                                                 \
  declaration = *std::move(result)

// FTP_ASSIGN_OR_RETURN(int pid, ParsePid(text));
#define FTP_ASSIGN_OR_RETURN(declaration, expression) \
  FTP_ASSIGN_OR_RETURN_INNER(FTP_CONCAT(ftp_result_, __LINE__), declaration, expression)

#endif  // FTHREADPROF_BASE_STATUS_MACROS_H_
