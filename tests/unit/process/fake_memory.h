// FakeMemory is a target's memory laid out by hand: regions of bytes at chosen addresses,
// everything else unreadable. Writes to a region after the fact play the running target.
#ifndef FTHREADPROF_TESTS_UNIT_PROCESS_FAKE_MEMORY_H_
#define FTHREADPROF_TESTS_UNIT_PROCESS_FAKE_MEMORY_H_

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "process/process_memory.h"

namespace fthreadprof {

class FakeMemory : public ProcessMemory {
 public:
  // Makes [address, address + bytes.size()) readable. REQUIRES: it overlaps no other region.
  void AddRegion(uint64_t address, std::vector<uint8_t> bytes) {
    regions_[address] = std::move(bytes);
  }
  void AddZeros(uint64_t address, size_t size) { AddRegion(address, std::vector<uint8_t>(size)); }

  // REQUIRES: [address, address + sizeof value) lies in one region.
  template <typename T>
  void Write(uint64_t address, const T& value) {
    WriteBytes(address, &value, sizeof value);
  }
  void WriteBytes(uint64_t address, const void* bytes, size_t size) {
    uint8_t* at = Find(address, size);
    if (at == nullptr) std::abort();
    std::memcpy(at, bytes, size);
  }

  absl::StatusOr<size_t> ReadPieces(std::span<const MemoryPiece> pieces) override {
    ++calls;
    if (before_call) before_call();
    if (gone) return absl::NotFoundError("the process has ended");
    size_t done = 0;
    for (const MemoryPiece& piece : pieces) {
      if (!Copy(piece)) break;
      ++done;
      ++pieces_read;
      if (after_piece) after_piece(piece);
    }
    return done;
  }

  std::map<uint64_t, std::vector<uint8_t>>& regions() { return regions_; }

  // Hooks that let a test change memory in the middle of a pass.
  std::function<void()> before_call;
  std::function<void(const MemoryPiece&)> after_piece;
  // Pieces are copied in parts of this size, as a page or an interrupt splits them; 0: at once.
  size_t part_size = 0;
  std::function<void()> after_part;
  bool gone = false;
  size_t calls = 0;
  size_t pieces_read = 0;

 private:
  bool Copy(const MemoryPiece& piece) {
    if (Find(piece.address, piece.size) == nullptr) return false;
    const size_t part = part_size == 0 ? std::max<size_t>(piece.size, 1) : part_size;
    for (size_t done = 0; done < piece.size; done += part) {
      const size_t size = std::min(part, piece.size - done);
      const uint8_t* at = Find(piece.address + done, size);
      if (at == nullptr) return false;
      std::memcpy(static_cast<uint8_t*>(piece.buffer) + done, at, size);
      if (after_part) after_part();
    }
    return true;
  }

  uint8_t* Find(uint64_t address, size_t size) {
    auto after = regions_.upper_bound(address);
    if (after == regions_.begin()) return nullptr;
    auto& [start, bytes] = *std::prev(after);
    const uint64_t offset = address - start;
    if (offset > bytes.size() || size > bytes.size() - offset) return nullptr;
    return bytes.data() + offset;
  }

  std::map<uint64_t, std::vector<uint8_t>> regions_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_PROCESS_FAKE_MEMORY_H_
