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
// 16 KiB, unless a frame needs more; CodeObjectCache believes in frames of up to 16 MiB.
constexpr uint64_t kMaxChunkSize = uint64_t{1} << 26;
constexpr size_t kMaxChunks = 1 << 14;
// How far beyond the highest frame seen a chunk is copied, so that a few more calls are no miss.
constexpr uint64_t kHeadroom = 1024;
// A place that no frame used for so many passes is dropped.
constexpr uint64_t kKeepPasses = 64;
constexpr size_t kMaxPlaces = 2048;
// Places learnt at a time: what a corrupt chain may cost.
constexpr size_t kMaxLearnt = 1024;

// [address, address + size) ends at `end` at the latest; addresses are untrusted and may wrap.
bool Fits(uint64_t address, size_t size, uint64_t end) {
  return address <= end && size <= end - address;
}

}  // namespace

void StackCopy::Prepare(uint64_t pass) {
  if (pass - last_trim_ >= kKeepPasses) Trim(pass);
  size_t size = 0;
  for (Place& place : places_) {
    place.offset = size;
    place.copied = place.end;
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
  // Frames that follow each other mostly lie in the same place.
  if (last_found_ < places_.size()) {
    Place& place = places_[last_found_];
    if (address >= place.start && Fits(address, frame_size_, place.end)) return &place;
  }
  const auto after =
      std::upper_bound(places_.begin(), places_.end(), address,
                       [](uint64_t value, const Place& place) { return value < place.start; });
  if (after == places_.begin()) return nullptr;
  Place& place = *std::prev(after);
  return Fits(address, frame_size_, place.bound()) ? &place : nullptr;
}

const uint8_t* StackCopy::Find(int copy, uint64_t address) const {
  const Place* place = const_cast<StackCopy*>(this)->FindPlace(address);
  if (place == nullptr || !Fits(address, frame_size_, place->copied)) return nullptr;
  return buffers_[copy].data() + place->offset + (address - place->start);
}

void StackCopy::Touch(uint64_t address, uint64_t pass) {
  if (Place* place = FindPlace(address)) {
    place->last_used = pass;
    place->highest = std::max(place->highest, address + frame_size_);
  }
}

absl::StatusOr<std::vector<StackCopy::Chunk>> StackCopy::ReadChunks(ProcessMemory& memory,
                                                                    uint64_t newest) {
  std::vector<Chunk> chunks;
  for (uint64_t at = newest; at != 0 && chunks.size() < kMaxChunks;) {
    FTP_ASSIGN_OR_RETURN(const ChunkHeader header, memory.ReadValue<ChunkHeader>(at));
    if (header.size <= sizeof header || header.size > kMaxChunkSize || at + header.size < at) {
      return absl::DataLossError("data stack chunk changed while it was read");
    }
    chunks.push_back({at, at + header.size});
    at = header.previous;
  }
  return chunks;
}

StackCopy::Place StackCopy::ChoosePlace(const std::vector<Chunk>& chunks, uint64_t address) {
  const Place* known = FindPlace(address);
  Place place = known != nullptr ? *known : Place{.start = address};
  for (const Chunk& chunk : chunks) {
    if (address < chunk.start || !Fits(address, frame_size_, chunk.end)) continue;
    // A chunk of old may have been freed, and another one lie there now.
    if (place.start != chunk.start || place.limit != chunk.end) {
      place = {.start = chunk.start, .limit = chunk.end};
    }
    break;
  }
  const uint64_t end = address + frame_size_;
  place.end = place.on_data_stack() ? std::min(place.limit, end + kHeadroom) : end;
  place.highest = std::max(place.highest, end);
  return place;
}

void StackCopy::AddPlace(const Place& place) {
  // What it overlaps is itself, smaller, or a place of old: a chunk that was freed, a C stack frame
  // since gone.
  std::erase_if(places_, [&](const Place& old) {
    return old.start < place.bound() && place.start < old.bound();
  });
  places_.insert(std::upper_bound(places_.begin(), places_.end(), place.start,
                                  [](uint64_t value, const Place& p) { return value < p.start; }),
                 place);
}

absl::Status StackCopy::Learn(ProcessMemory& memory, const FrameLayout& layout, uint64_t chunk,
                              uint64_t address, uint64_t pass) {
  FTP_ASSIGN_OR_RETURN(const std::vector<Chunk> chunks, ReadChunks(memory, chunk));
  std::vector<uint8_t> bytes;  // of the place read last
  uint64_t start = 0;
  size_t learnt = 0;
  for (size_t depth = 0; address != 0 && depth < kMaxStackDepth; ++depth) {
    const uint8_t* frame = Find(0, address);
    if (frame == nullptr) {
      const uint64_t offset = address - start;
      if (offset >= bytes.size() || bytes.size() - offset < frame_size_) {
        if (++learnt > kMaxLearnt) break;
        Place place = ChoosePlace(chunks, address);
        place.last_used = pass;
        // A torn chain points anywhere: a place that can't be read would spoil the copy of all.
        bytes.resize(place.end - place.start);
        FTP_RETURN_IF_ERROR(memory.Read(place.start, bytes.data(), bytes.size()));
        AddPlace(place);
        start = place.start;
      }
      frame = bytes.data() + (address - start);
    }
    address = layout.Decode(address, frame).previous;
  }
  if (places_.size() > kMaxPlaces) DropUnused(pass);
  return absl::OkStatus();
}

void StackCopy::DropUnused(uint64_t pass) {
  // Those of the pass before may be needed again, unless they are too many.
  for (uint64_t keep = kKeepPasses; places_.size() > kMaxPlaces; keep /= 2) {
    std::erase_if(places_, [&](const Place& place) { return pass - place.last_used > keep; });
    if (keep == 0) break;
  }
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
