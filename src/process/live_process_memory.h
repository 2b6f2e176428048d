// LiveProcessMemory reads a running process with process_vm_readv(2). It never stops or writes it.
//
// Lifetime: refers to the process by PID; when the PID is reused after its end, reads go to the new
// process, which its caller has to notice. Thread safety: none.
#ifndef FTHREADPROF_PROCESS_LIVE_PROCESS_MEMORY_H_
#define FTHREADPROF_PROCESS_LIVE_PROCESS_MEMORY_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <vector>

#include "process/process_memory.h"

namespace fthreadprof {

class LiveProcessMemory : public ProcessMemory {
 public:
  explicit LiveProcessMemory(pid_t pid) : pid_(pid) {}

  absl::StatusOr<size_t> ReadPieces(std::span<const MemoryPiece> pieces) override;

  // System calls made so far: the cost of reading.
  uint64_t calls() const { return calls_; }

 private:
  // At most IOV_MAX pieces.
  absl::StatusOr<size_t> ReadBatch(std::span<const MemoryPiece> pieces);

  pid_t pid_;
  uint64_t calls_ = 0;
  std::vector<iovec> local_;
  std::vector<iovec> remote_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROCESS_LIVE_PROCESS_MEMORY_H_
