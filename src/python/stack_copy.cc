#include "python/stack_copy.h"

#include <algorithm>
#include <optional>

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
// A place that no frame used for so many copies is dropped.
constexpr uint64_t kKeepCopies = 64;
constexpr size_t kMaxPlaces = 2048;
// Places outside the data stack that the last copy did not use are copied along as long as there
// are no more than this: each costs about as much as 1 KiB of the data stack.
constexpr ptrdiff_t kMaxSpare = 16;
// Places no further apart are copied as one: coroutines that were made together lie together. No
// page lies between them that neither has part of.
constexpr uint64_t kMaxGap = 512;
// Places that overlap become one of at most this many bytes, else the newer one replaces the older.
constexpr uint64_t kMaxOverlap = 512;
// Places learnt at a time: what a corrupt chain may cost.
constexpr size_t kMaxLearnt = 1024;
// About 1 MiB. Beyond it they are learnt anew.
constexpr size_t kMaxCallers = 1 << 15;

// [address, address + size) ends at `end` at the latest; addresses are untrusted and may wrap.
bool Fits(uint64_t address, size_t size, uint64_t end) {
  return address <= end && size <= end - address;
}

}  // namespace

void KnownCallers::Remember(uint64_t frame, const Caller& caller) {
  if (callers_.size() >= kMaxCallers && !callers_.contains(frame)) callers_.clear();
  callers_[frame] = caller;
}

void StackCopy::Prepare(Extent extent) {
  ++copies_;
  extent_ = extent;
  if (copies_ - last_trim_ >= kKeepCopies) Trim();
  DropSpare();
  runs_.clear();
  size_t size = 0;
  for (Place& place : places_) {
    const bool is_wanted = extent == Extent::kAll || copies_ - place.last_used <= 1;
    place.copied = is_wanted ? place.end : place.start;
    if (!is_wanted) continue;
    const bool is_near = !runs_.empty() && place.start - runs_.back().end <= kMaxGap;
    if (is_near && !runs_.back().on_data_stack && !place.on_data_stack()) {
      size += place.end - runs_.back().end;
      runs_.back().end = place.end;
    } else {
      runs_.push_back({.start = place.start,
                       .end = place.end,
                       .offset = size,
                       .on_data_stack = place.on_data_stack()});
      size += place.end - place.start;
    }
    place.offset = runs_.back().offset + (place.start - runs_.back().start);
  }
  for (auto& buffer : buffers_) buffer.resize(size);
}

void StackCopy::AppendPieces(int copy, std::vector<MemoryPiece>& pieces) {
  for (const bool on_data_stack : {true, false}) {
    for (const Run& run : runs_) {
      if (run.on_data_stack != on_data_stack) continue;
      pieces.push_back({run.start, buffers_[copy].data() + run.offset, run.end - run.start});
    }
  }
}

bool StackCopy::StartsBehind(uint64_t address, const Place& place) { return address < place.start; }

StackCopy::Place* StackCopy::FindPlace(uint64_t address) {
  // Frames that follow each other mostly lie in the same place.
  if (last_found_ < places_.size()) {
    Place& place = places_[last_found_];
    if (address >= place.start && Fits(address, frame_size_, place.end)) return &place;
  }
  const auto after = std::upper_bound(places_.begin(), places_.end(), address, StartsBehind);
  if (after == places_.begin()) return nullptr;
  last_found_ = static_cast<size_t>(std::prev(after) - places_.begin());
  Place& place = places_[last_found_];
  return Fits(address, frame_size_, place.bound()) ? &place : nullptr;
}

const uint8_t* StackCopy::Find(int copy, uint64_t address) const {
  const Place* place = const_cast<StackCopy*>(this)->FindPlace(address);
  if (place == nullptr || !Fits(address, frame_size_, place->copied)) return nullptr;
  return buffers_[copy].data() + place->offset + (address - place->start);
}

void StackCopy::Touch(uint64_t address, const Caller& caller) {
  Place* place = FindPlace(address);
  if (place == nullptr) return;
  place->last_used = copies_;
  place->highest = std::max(place->highest, address + frame_size_);
  if (caller.address == 0 || place->on_data_stack()) return;
  if (address == place->start) {
    if (caller == place->caller) return;
    place->caller = caller;
  }
  callers_.Remember(address, caller);
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
  place.last_used = copies_;
  return place;
}

// Entry frames of calls from one C function and from another may overlap, and alternate.
void StackCopy::Widen(Place& place, const Place& old) {
  if (place.on_data_stack() || old.on_data_stack()) return;
  const uint64_t start = std::min(place.start, old.start);
  const uint64_t end = std::max(place.end, old.end);
  if (end - start > kMaxOverlap) return;
  place.start = start;
  place.end = end;
  place.caller = {};
}

void StackCopy::AddPlace(const Place& place) {
  // What it overlaps is itself, smaller, or a place of old: a chunk that was freed, a C stack frame
  // since gone. No two places overlap, so those lie side by side.
  auto first = std::upper_bound(places_.begin(), places_.end(), place.start, StartsBehind);
  if (first != places_.begin() && std::prev(first)->bound() > place.start) --first;
  auto last = first;
  Place whole = place;
  while (last != places_.end() && last->start < place.bound()) {
    Widen(whole, *last);
    ++last;
  }
  if (first == last) {
    places_.insert(first, whole);
  } else {
    *first = whole;
    places_.erase(std::next(first), last);
  }
}

// One climb of Learn.
struct StackCopy::Climb {
  ProcessMemory& memory;
  const FrameLayout& layout;
  uint64_t chunk_at;
  std::optional<std::vector<Chunk>> chunks{};  // once they are needed
  std::vector<uint8_t> bytes{};                // of the place read last
  uint64_t start = 0;                          // of that
  size_t learnt = 0;
};

absl::Status StackCopy::Learn(ProcessMemory& memory, const FrameLayout& layout, uint64_t chunk_at,
                              uint64_t address) {
  Climb climb{.memory = memory, .layout = layout, .chunk_at = chunk_at};
  uint64_t callee = 0;  // outside the data stack; its caller is believed once that can be read
  uint64_t seen = 0;    // what is known of callers is of different moments: it may go in circles
  for (size_t depth = 0; address != 0 && address != seen && depth < kMaxStackDepth; ++depth) {
    if ((depth & (depth - 1)) == 0) seen = address;
    FTP_ASSIGN_OR_RETURN(const std::optional<uint64_t> caller, LearnOne(climb, address));
    if (!caller) {
      callers_.Forget(callee);
      break;
    }
    if (callee != 0 && KnownAddress(callee) != address) callers_.Remember(callee, {address});
    callee = IsOnDataStack(address) ? 0 : address;
    address = *caller;
  }
  // Those of the copy before may be needed again, unless they are too many.
  for (uint64_t keep = kKeepCopies; places_.size() > kMaxPlaces; keep /= 2) {
    DropUnused(keep);
    if (keep == 0) break;
  }
  return absl::OkStatus();
}

uint64_t StackCopy::KnownAddress(uint64_t frame) const {
  const Caller* caller = callers_.Find(frame);
  return caller == nullptr ? 0 : caller->address;
}

// The caller of the frame at `address`, whose place is added; none when that is enough.
absl::StatusOr<std::optional<uint64_t>> StackCopy::LearnOne(Climb& climb, uint64_t address) {
  if (const uint8_t* frame = Find(0, address)) {
    Touch(address, {});
    return climb.layout.Decode(address, frame).previous;
  }
  const bool on_data_stack = IsOnDataStack(address);
  const uint64_t known = on_data_stack ? 0 : KnownAddress(address);
  const uint64_t offset = address - climb.start;
  const bool at_hand = offset < climb.bytes.size() && climb.bytes.size() - offset >= frame_size_;
  if (known == 0 && at_hand) {
    return climb.layout.Decode(address, climb.bytes.data() + offset).previous;
  }
  if (++climb.learnt > kMaxLearnt) return std::nullopt;
  const Place alone{.start = address, .end = address + frame_size_, .last_used = copies_};
  if (known != 0) {
    AddPlace(alone);
    return known;
  }
  if (!on_data_stack) {
    // The frame says where it lies. The chunks are asked for when they are needed: a coroutine's
    // callers are gone in no time.
    FTP_RETURN_IF_ERROR(ReadPlace(climb, alone));
    const FrameRecord frame = climb.layout.Decode(address, climb.bytes.data());
    if (frame.owner != FrameRecord::Owner::kThread) {
      AddPlace(alone);
      return frame.previous;
    }
  }
  if (!climb.chunks) {
    FTP_ASSIGN_OR_RETURN(const uint64_t newest, climb.memory.ReadValue<uint64_t>(climb.chunk_at));
    FTP_ASSIGN_OR_RETURN(climb.chunks, ReadChunks(climb.memory, newest));
  }
  const Place place = ChoosePlace(*climb.chunks, address);
  // What was known of a generator's caller may be of another thread, and lead to its stack.
  if (!place.on_data_stack()) return std::nullopt;
  FTP_RETURN_IF_ERROR(ReadPlace(climb, place));
  AddPlace(place);
  return climb.layout.Decode(address, climb.bytes.data() + (address - place.start)).previous;
}

// A torn chain points anywhere: a place that can't be read would spoil the copy of all.
absl::Status StackCopy::ReadPlace(Climb& climb, const Place& place) {
  climb.start = place.start;
  climb.bytes.resize(place.end - place.start);
  return climb.memory.Read(place.start, climb.bytes.data(), climb.bytes.size());
}

void StackCopy::DropUnused(uint64_t longer_than) {
  std::erase_if(places_,
                [&](const Place& place) { return copies_ - place.last_used > longer_than; });
}

void StackCopy::DropSpare() {
  const auto is_spare = [&](const Place& place, uint64_t age) {
    return !place.on_data_stack() && copies_ - place.last_used > age;
  };
  const auto count = [&] {
    return std::count_if(places_.begin(), places_.end(),
                         [&](const Place& place) { return is_spare(place, 1); });
  };
  for (uint64_t keep = kKeepCopies / 2; keep > 0 && count() > kMaxSpare; keep /= 2) {
    std::erase_if(places_, [&](const Place& place) { return is_spare(place, keep); });
  }
}

void StackCopy::Trim() {
  last_trim_ = copies_;
  DropUnused(kKeepCopies);
  for (Place& place : places_) {
    if (!place.on_data_stack()) continue;
    place.end =
        std::min(place.limit, std::max(place.start + frame_size_, place.highest) + kHeadroom);
    place.highest = 0;
  }
}

void StackCopy::Reset() {
  for (const Place& place : places_) callers_.Forget(place.start);
  places_.clear();
}

bool StackCopy::IsOnDataStack(uint64_t address) const {
  const Place* place = const_cast<StackCopy*>(this)->FindPlace(address);
  return place != nullptr && place->on_data_stack();
}

bool StackCopy::IsChunkStart(uint64_t address) const {
  const Place* place = const_cast<StackCopy*>(this)->FindPlace(address);
  if (place == nullptr || !place->on_data_stack()) return false;
  // push_chunk (Python/pystate.c) leaves the first word of the first chunk unused.
  const uint64_t data = place->start + sizeof(ChunkHeader);
  return address == data || address == data + 8;
}

}  // namespace fthreadprof
