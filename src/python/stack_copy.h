// StackCopy says which memory holds one thread's frames, predicted from where they were before, and
// keeps the copy of it. Frames live in the thread's data stack chunks, on its C stack (entry
// frames) and inside generators, so that following pointers one by one costs a system call a frame;
// a predicted copy costs one for all threads, and is taken within less than a microsecond of the
// target's time.
//
// An event loop runs another chain of coroutines each time: too many to copy them all, and gone
// before pointers could be followed. They mostly stay where they are, so KnownCallers remembers
// who called whom, and the whole chain above a frame that the copy lacks is in the next one.
//
// Lifetime: owns its buffers, borrows the callers. Thread safety: none.
#ifndef FTHREADPROF_PYTHON_STACK_COPY_H_
#define FTHREADPROF_PYTHON_STACK_COPY_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "process/process_memory.h"
#include "python/frame_layout.h"

namespace fthreadprof {

// Far beyond any recursion limit that a C stack survives; it bounds a corrupt chain that loops.
inline constexpr size_t kMaxStackDepth = 1 << 18;

// The frame that called another, what it was at, and what it called; 0 where that is not known.
struct Caller {
  uint64_t address = 0;
  uint64_t executable = 0;
  uint64_t instruction = 0;
  uint64_t callee = 0;              // its executable
  uint64_t callee_instruction = 0;  // where that one was

  friend bool operator==(const Caller&, const Caller&) = default;
};

// Where frames outside the data stack, of all threads, were last seen to be called from. A guess:
// what was copied tells.
class KnownCallers {
 public:
  // The caller of the frame at `frame`; null when it is not known. Valid until the next change.
  const Caller* Find(uint64_t frame) const {
    const auto it = callers_.find(frame);
    return it == callers_.end() ? nullptr : &it->second;
  }
  void Remember(uint64_t frame, const Caller& caller);
  void Forget(uint64_t frame) { callers_.erase(frame); }

 private:
  absl::flat_hash_map<uint64_t, Caller> callers_;
};

class StackCopy {
 public:
  // `frame_size`: bytes of a frame that a reader needs. REQUIRES: callers outlives the copy.
  StackCopy(size_t frame_size, KnownCallers& callers)
      : frame_size_(frame_size), callers_(callers) {}

  // What a copy is to hold: all places, or those that frames of the last copy, and what was learnt
  // since, were in; the fewer there are, the less a moving thread gets done between two of them.
  enum class Extent { kAll, kLastUsed };

  // Drops places that no frame used for long and readies the buffers for another copy.
  void Prepare(Extent extent);
  // Appends the pieces to read for copy 0 or 1, the data stack first: calls and returns change it
  // most, and a generator that was read before could seem to be called from where it was not. The
  // buffers stay where they are until the next Prepare.
  void AppendPieces(int copy, std::vector<MemoryPiece>& pieces);

  // True when the last Prepare left so few pieces that a thread gets next to nothing done between
  // the first of them and the last, or no more than its last frames need.
  bool is_short() const { return extent_ == Extent::kLastUsed || runs_.size() <= kFewPieces; }

  // The bytes of the frame at `address` in a copy; null when the places do not hold it.
  const uint8_t* Find(int copy, uint64_t address) const;
  // The caller that the frame at `address` last had; null when it is not known, as for all on the
  // data stack.
  const Caller* KnownCaller(uint64_t address) const { return callers_.Find(address); }
  // True when the places say that a data stack chunk is at `address`.
  bool IsOnDataStack(uint64_t address) const;
  // Marks the place that holds the frame at `address` as used by the last copy. `caller`: of the
  // frame, when the copy showed it, else none.
  void Touch(uint64_t address, const Caller& caller);

  // Follows the chain of frames from the one at `address`, which the places do not hold, by what is
  // known of callers, else by pointers, and adds the places of all that they do not hold to the
  // next copies: parts of the data stack, to whose newest chunk the pointer at `chunk_at` points,
  // else places of their own. While the thread moves this may go astray; the copy will tell. Fails
  // with kDataLoss when something can't be read.
  absl::Status Learn(ProcessMemory& memory, const FrameLayout& layout, uint64_t chunk_at,
                     uint64_t address);
  // Forgets all places: something in them can't be read any more.
  void Reset();

  // True when `address` is where a chunk's first frame lies.
  bool IsChunkStart(uint64_t address) const;

 private:
  struct Place {
    uint64_t start = 0;
    uint64_t end = 0;        // what is copied next
    uint64_t copied = 0;     // where what the buffers hold of it ends
    uint64_t limit = 0;      // where the chunk ends; 0 outside the data stack
    uint64_t highest = 0;    // the end of the highest frame used since the last trim
    uint64_t last_used = 0;  // copies_ then
    Caller caller{};         // of its first frame, as last told to callers_
    size_t offset = 0;       // of its bytes in a buffer
    bool on_data_stack() const { return limit != 0; }
    uint64_t bound() const { return on_data_stack() ? limit : end; }
  };
  // Places that are copied as one piece.
  struct Run {
    uint64_t start = 0;
    uint64_t end = 0;
    size_t offset = 0;  // in a buffer
    bool on_data_stack = false;
  };
  struct Chunk {
    uint64_t start;
    uint64_t end;
  };

  struct Climb;

  static absl::StatusOr<std::vector<Chunk>> ReadChunks(ProcessMemory& memory, uint64_t newest);
  static void Widen(Place& place, const Place& old);
  static bool StartsBehind(uint64_t address, const Place& place);
  Place* FindPlace(uint64_t address);
  uint64_t KnownAddress(uint64_t frame) const;
  absl::StatusOr<std::optional<uint64_t>> LearnOne(Climb& climb, uint64_t address);
  // The place that is to hold the frame at `address`; not yet among places_ when it is new.
  Place ChoosePlace(const std::vector<Chunk>& chunks, uint64_t address);
  void AddPlace(const Place& place);
  static absl::Status ReadPlace(Climb& climb, const Place& place);
  void DropUnused(uint64_t longer_than);
  void DropSpare();
  void Trim();

  static constexpr size_t kFewPieces = 8;

  size_t frame_size_;
  Extent extent_ = Extent::kAll;  // of the last Prepare
  KnownCallers& callers_;
  std::vector<Place> places_;  // by start
  std::vector<Run> runs_;      // of the last Prepare, by start
  std::vector<uint8_t> buffers_[2];
  uint64_t copies_ = 0;
  uint64_t last_trim_ = 0;
  size_t last_found_ = 0;  // index of the place that FindPlace found last
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_STACK_COPY_H_
