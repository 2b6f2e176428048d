// ProcessMemory reads the memory of a target. It is the one interface of this module with a fake
// (tests/unit/process/fake_memory.h), so that every reader is tested on hand-made, and on corrupt,
// memory. It cannot write.
//
// Thread safety: implementations are used by one thread at a time.
#ifndef FTHREADPROF_PROCESS_PROCESS_MEMORY_H_
#define FTHREADPROF_PROCESS_PROCESS_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "process/remote_ptr.h"

namespace fthreadprof {

// One piece of a scattered read: `size` bytes at `address` in the target go to `buffer` here.
struct MemoryPiece {
  uint64_t address = 0;
  void* buffer = nullptr;
  size_t size = 0;
};

class ProcessMemory {
 public:
  virtual ~ProcessMemory() = default;

  // Reads the pieces in order and returns how many leading pieces were read whole. Fewer than all
  // means that the next piece's address cannot be read: memory has moved on since the address was
  // learnt, so the caller drops what it was doing (a torn read).
  // Fails with kNotFound when the process is gone, kPermissionDenied when it may not be read.
  virtual absl::StatusOr<size_t> ReadPieces(std::span<const MemoryPiece> pieces) = 0;

  // Reads `size` bytes. Fails as ReadPieces does, and with kDataLoss when they cannot be read.
  absl::Status Read(uint64_t address, void* buffer, size_t size);

  // Reads a trivially copyable value. Fails as Read.
  template <typename T>
  absl::StatusOr<T> ReadValue(uint64_t address) {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    if (absl::Status status = Read(address, &value, sizeof value); !status.ok()) return status;
    return value;
  }
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROCESS_PROCESS_MEMORY_H_
