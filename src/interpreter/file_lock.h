// FileLock holds an exclusive flock(2) on a file for as long as it lives. Movable, not copyable.
//
// Programs that are started meanwhile inherit it: when the holder is killed, the lock stays until
// the last process that the holder started has ended, so that the next holder meets no leftover
// writers. Lock files are empty and are never deleted, since deleting one that another process
// waits for would let two in.
#ifndef FTHREADPROF_INTERPRETER_FILE_LOCK_H_
#define FTHREADPROF_INTERPRETER_FILE_LOCK_H_

#include <filesystem>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace fthreadprof {

class FileLock {
 public:
  // Waits for the lock. Makes the file, and its directory, when missing.
  // Fails with kPermissionDenied when the file cannot be made.
  [[nodiscard]] static absl::StatusOr<FileLock> Acquire(const std::filesystem::path& path);

  // As Acquire, but nullopt at once when another process has the lock.
  [[nodiscard]] static absl::StatusOr<std::optional<FileLock>> TryAcquire(
      const std::filesystem::path& path);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_INTERPRETER_FILE_LOCK_H_
