#include "interpreter/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace fthreadprof {
namespace {

absl::StatusOr<UniqueFd> OpenLockFile(const std::filesystem::path& path) {
  std::error_code ignored;  // open() then says what is wrong
  std::filesystem::create_directories(path.parent_path(), ignored);
  // Not O_CLOEXEC: see the header.
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT, 0644));
  if (!fd.valid()) {
    return absl::PermissionDeniedError(
        absl::StrCat("cannot write ", path.string(), ": ", std::strerror(errno)));
  }
  return fd;
}

}  // namespace

absl::StatusOr<FileLock> FileLock::Acquire(const std::filesystem::path& path) {
  FTP_ASSIGN_OR_RETURN(UniqueFd fd, OpenLockFile(path));
  while (flock(fd.get(), LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    return absl::UnavailableError(
        absl::StrCat("cannot lock ", path.string(), ": ", std::strerror(errno)));
  }
  return FileLock(std::move(fd));
}

absl::StatusOr<std::optional<FileLock>> FileLock::TryAcquire(const std::filesystem::path& path) {
  FTP_ASSIGN_OR_RETURN(UniqueFd fd, OpenLockFile(path));
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return FileLock(std::move(fd));
  if (errno == EWOULDBLOCK) return std::nullopt;
  return absl::UnavailableError(
      absl::StrCat("cannot lock ", path.string(), ": ", std::strerror(errno)));
}

}  // namespace fthreadprof
