// StackCopy says which memory holds one thread's frames, predicted from where they were before, and
// keeps the copy of it. Frames live in the thread's data stack chunks, on its C stack (entry
// frames) and inside generators, so that following pointers one by one costs a system call a frame;
// a predicted copy costs one for all threads, and is taken within less than a microsecond of the
// target's time.
//
// Lifetime: owns its buffers. Thread safety: none.
#ifndef FTHREADPROF_PYTHON_STACK_COPY_H_
#define FTHREADPROF_PYTHON_STACK_COPY_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "process/process_memory.h"

namespace fthreadprof {

class StackCopy {
 public:
  // `frame_size`: bytes of a frame that a reader needs.
  explicit StackCopy(size_t frame_size) : frame_size_(frame_size) {}

  // Drops places that no frame used for long and readies the buffers. `pass` counts up.
  void Prepare(uint64_t pass);
  // Appends the pieces to read for copy 0 or 1, in the order of addresses. The buffers stay where
  // they are until the next Prepare, Extend or Reset.
  void AppendPieces(int copy, std::vector<MemoryPiece>& pieces);

  // The bytes of the frame at `address` in a copy; null when the places do not hold it.
  const uint8_t* Find(int copy, uint64_t address) const;
  // Marks the place that holds `address` as used in `pass`.
  void Touch(uint64_t address, uint64_t pass);

  // Adds the place of the frame at `address` to the next copies: a part of the data stack whose
  // newest chunk is `chunk`, else a place of its own.
  absl::Status Extend(ProcessMemory& memory, uint64_t chunk, uint64_t address, uint64_t pass);
  // Forgets all places: something in them can't be read any more.
  void Reset();

  // True when `address` is where a chunk's first frame lies.
  bool IsChunkStart(uint64_t address) const;

 private:
  struct Place {
    uint64_t start = 0;
    uint64_t end = 0;        // what is copied
    uint64_t limit = 0;      // where the chunk ends; 0 outside the data stack
    uint64_t highest = 0;    // the end of the highest frame used since the last trim
    uint64_t last_used = 0;  // pass
    size_t offset = 0;       // of its bytes in a buffer
    bool on_data_stack() const { return limit != 0; }
  };

  Place* FindPlace(uint64_t address);
  void Trim(uint64_t pass);

  size_t frame_size_;
  std::vector<Place> places_;  // by start
  std::vector<uint8_t> buffers_[2];
  uint64_t last_trim_ = 0;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_STACK_COPY_H_
