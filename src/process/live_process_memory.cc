#include "process/live_process_memory.h"

#include <cerrno>
#include <climits>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace fthreadprof {

absl::StatusOr<size_t> LiveProcessMemory::ReadPieces(std::span<const MemoryPiece> pieces) {
  size_t done = 0;
  while (done < pieces.size()) {
    const size_t batch = std::min<size_t>(pieces.size() - done, IOV_MAX);
    FTP_ASSIGN_OR_RETURN(const size_t read, ReadBatch(pieces.subspan(done, batch)));
    done += read;
    if (read < batch) break;
  }
  return done;
}

absl::StatusOr<size_t> LiveProcessMemory::ReadBatch(std::span<const MemoryPiece> pieces) {
  local_.resize(pieces.size());
  remote_.resize(pieces.size());
  for (size_t i = 0; i < pieces.size(); ++i) {
    local_[i] = {pieces[i].buffer, pieces[i].size};
    remote_[i] = {reinterpret_cast<void*>(pieces[i].address), pieces[i].size};
  }
  ++calls_;
  const ssize_t result =
      process_vm_readv(pid_, local_.data(), local_.size(), remote_.data(), remote_.size(), 0);
  if (result < 0) {
    if (errno == EFAULT) return 0;
    if (errno == ESRCH) return absl::NotFoundError(absl::StrCat("process ", pid_, " has ended"));
    if (errno == EPERM) {
      return absl::PermissionDeniedError(
          absl::StrCat("not permitted to read the memory of process ", pid_));
    }
    return absl::InternalError(
        absl::StrCat("reading process ", pid_, " failed: ", std::strerror(errno)));
  }
  // A partial transfer ends at a piece that could not be read.
  size_t bytes = static_cast<size_t>(result);
  size_t whole = 0;
  while (whole < pieces.size() && bytes >= pieces[whole].size) bytes -= pieces[whole++].size;
  return whole;
}

}  // namespace fthreadprof
