#include "process/process_memory.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace fthreadprof {

absl::Status ProcessMemory::Read(uint64_t address, void* buffer, size_t size) {
  const MemoryPiece piece{address, buffer, size};
  FTP_ASSIGN_OR_RETURN(const size_t pieces_read, ReadPieces({&piece, 1}));
  if (pieces_read == 1) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("cannot read ", size, " bytes at 0x", absl::Hex(address), " in the target"));
}

}  // namespace fthreadprof
