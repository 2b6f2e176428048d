#include "python/stack_copy.h"

#include <algorithm>

#include "base/status_macros.h"

namespace fthreadprof {
namespace {

// _PyStackChunk {previous, size, top, data[]}: Include/cpython/pystate.h, 3.13 to 3.15.
struct ChunkHeader {
  uint64_t previous;
  uint64_t size;
  uint64_t top;
};
constexpr uint64_t kMaxChunkSize = uint64_t{1} << 30;
constexpr int kMaxChunks = 1 << 16;
// How far beyond the highest frame seen a chunk is copied, so that a few more calls are no miss.
constexpr uint64_t kHeadroom = 1024;
// A place that no frame used for so many passes is dropped.
constexpr uint64_t kKeepPasses = 64;
constexpr size_t kMaxOwnPlaces = 512;

}  // namespace

void StackCopy::Prepare(uint64_t pass) {
  if (pass - last_trim_ >= kKeepPasses) Trim(pass);
  size_t size = 0;
  for (Place& place : places_) {
    place.offset = size;
    size += place.end - place.start;
  }
  for (auto& buffer : buffers_) buffer.resize(size);
}

void StackCopy::AppendPieces(int copy, std::vector<MemoryPiece>& pieces) {
  for (const Place& place : places_) {
    pieces.push_back({place.start, buffers_[copy].data() + place.offset, place.end - place.start});
  }
}

StackCopy::Place* StackCopy::FindPlace(uint64_t address) {
  const auto after =
      std::upper_bound(places_.begin(), places_.end(), address,
                       [](uint64_t value, const Place& place) { return value < place.start; });
  if (after == places_.begin()) return nullptr;
  Place& place = *std::prev(after);
  const uint64_t end = place.on_data_stack() ? place.limit : place.end;
  return address + frame_size_ <= end ? &place : nullptr;
}

const uint8_t* StackCopy::Find(int copy, uint64_t address) const {
  const Place* place = const_cast<StackCopy*>(this)->FindPlace(address);
  if (place == nullptr || address + frame_size_ > place->end) return nullptr;
  return buffers_[copy].data() + place->offset + (address - place->start);
}

void StackCopy::Touch(uint64_t address, uint64_t pass) {
  if (Place* place = FindPlace(address)) {
    place->last_used = pass;
    place->highest = std::max(place->highest, address + frame_size_);
  }
}

absl::Status StackCopy::Extend(ProcessMemory& memory, uint64_t chunk, uint64_t address,
                               uint64_t pass) {
  if (Place* place = FindPlace(address)) {
    place->end = std::min(place->limit, address + frame_size_ + kHeadroom);
    place->highest = std::max(place->highest, address + frame_size_);
    place->last_used = pass;
    return absl::OkStatus();
  }
  Place place{.start = address, .end = address + frame_size_, .last_used = pass};
  for (int i = 0; chunk != 0 && i < kMaxChunks; ++i) {
    FTP_ASSIGN_OR_RETURN(const ChunkHeader header, memory.ReadValue<ChunkHeader>(chunk));
    if (header.size <= sizeof header || header.size > kMaxChunkSize) {
      return absl::DataLossError("data stack chunk changed while it was read");
    }
    if (address >= chunk && address < chunk + header.size) {
      place.start = chunk;
      place.limit = chunk + header.size;
      place.end = std::min(place.limit, address + frame_size_ + kHeadroom);
      break;
    }
    chunk = header.previous;
  }
  place.highest = address + frame_size_;
  if (!place.on_data_stack()) {
    // A torn chain points anywhere: a place that can't be read would spoil the copy of all others.
    std::vector<uint8_t> probe(frame_size_);
    FTP_RETURN_IF_ERROR(memory.Read(address, probe.data(), probe.size()));
  }
  // What it overlaps is a place of old: a chunk that was freed, a C stack frame since gone.
  std::erase_if(places_, [&](const Place& old) {
    const uint64_t end = place.on_data_stack() ? place.limit : place.end;
    const uint64_t old_end = old.on_data_stack() ? old.limit : old.end;
    return old.start < end && place.start < old_end;
  });
  places_.insert(std::upper_bound(places_.begin(), places_.end(), place.start,
                                  [](uint64_t value, const Place& p) { return value < p.start; }),
                 place);
  if (places_.size() > kMaxOwnPlaces) Trim(pass);
  return absl::OkStatus();
}

void StackCopy::Trim(uint64_t pass) {
  last_trim_ = pass;
  std::erase_if(places_, [&](const Place& place) { return pass - place.last_used > kKeepPasses; });
  for (Place& place : places_) {
    if (!place.on_data_stack()) continue;
    place.end =
        std::min(place.limit, std::max(place.start + frame_size_, place.highest) + kHeadroom);
    place.highest = 0;
  }
}

void StackCopy::Reset() { places_.clear(); }

bool StackCopy::IsChunkStart(uint64_t address) const {
  const Place* place = const_cast<StackCopy*>(this)->FindPlace(address);
  if (place == nullptr || !place->on_data_stack()) return false;
  // push_chunk (Python/pystate.c) leaves the first word of the first chunk unused.
  const uint64_t data = place->start + sizeof(ChunkHeader);
  return address == data || address == data + 8;
}

}  // namespace fthreadprof
