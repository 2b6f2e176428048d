#include "process/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"

namespace fthreadprof {
namespace {

absl::Status ErrnoStatus(int error, const std::string& path) {
  if (error == ESRCH) error = ENOENT;  // what /proc says of a process that ends while we read
  return absl::ErrnoToStatus(error, absl::StrCat("cannot read ", path));
}

}  // namespace

absl::StatusOr<std::string> ReadProcFile(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, path);
  std::string text;
  char buffer[16384];
  for (;;) {
    const ssize_t size = read(fd.get(), buffer, sizeof buffer);
    if (size == 0) return text;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return ErrnoStatus(errno, path);
    text.append(buffer, static_cast<size_t>(size));
  }
}

absl::StatusOr<ProcStat> ParseProcStat(std::string_view text) {
  // "PID (COMM) STATE ...", and COMM may hold anything. proc_pid_stat(5) counts fields from 1.
  constexpr size_t kState = 3;
  constexpr size_t kParent = 4;
  constexpr size_t kStartTime = 22;
  const size_t end_of_comm = text.rfind(')');
  if (end_of_comm == std::string_view::npos) {
    return absl::InvalidArgumentError("not the text of a stat file");
  }
  text.remove_prefix(end_of_comm + 1);
  const std::vector<absl::string_view> fields =
      absl::StrSplit(absl::string_view(text.data(), text.size()), ' ', absl::SkipEmpty());
  ProcStat stat;
  if (fields.size() <= kStartTime - kState || fields[0].size() != 1 ||
      !absl::SimpleAtoi(fields[kParent - kState], &stat.parent_pid) ||
      !absl::SimpleAtoi(fields[kStartTime - kState], &stat.start_time)) {
    return absl::InvalidArgumentError("not the text of a stat file");
  }
  stat.state = fields[0][0];
  return stat;
}

absl::StatusOr<ProcStat> ReadProcStat(const std::string& path) {
  FTP_ASSIGN_OR_RETURN(const std::string text, ReadProcFile(path));
  return ParseProcStat(text);
}

}  // namespace fthreadprof
