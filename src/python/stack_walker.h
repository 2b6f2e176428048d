// StackWalker reads a stack out of a copy of a running thread's memory, and says whether it can be
// believed.
//
// The thread runs while its memory is copied, so the copy need not show any one moment. What the
// walker goes by:
//
// `top`, the thread's current frame, was read just after the frames were copied. CPython clears a
// frame when it leaves it (the executable becomes null; in 3.13 the stack top becomes 0), so a
// frame that is clear in the copy was not on the stack when it was copied. The sample is the stack
// of that moment: it begins at the first frame below that was alive, and if that one was, so were
// those that it returns to. 3.13 also says of each frame whether it runs: one that does was the
// top.
//
// A generator's frame has a caller only while it runs. Frames on the data stack lie end to end, so
// that each begins where its caller's ends. The chain ends in the thread's first entry frame. What
// contradicts any of this is torn, and never mended.
//
// Even so, two frames are copied some tens of nanoseconds apart, more when an interrupt or a second
// piece comes in between, and a thread can make a call in that time. So a stack is only believed
// once it has been proven possible: a second copy, right after the first, showed the same frames,
// twice. From then on one copy is enough for the same stack (the same code objects at the
// same calls), however fast the thread moves: requiring that it stands still each time would favour
// those that do.
//
// Lifetime: borrows the layout and the cache. Thread safety: none.
#ifndef FTHREADPROF_PYTHON_STACK_WALKER_H_
#define FTHREADPROF_PYTHON_STACK_WALKER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "python/code_object_cache.h"
#include "python/frame_layout.h"
#include "python/stack_copy.h"

namespace fthreadprof {

struct StackFrame {
  CodeInfo* code = nullptr;
  int line = 0;  // 0: none

  friend bool operator==(const StackFrame&, const StackFrame&) = default;
};

// What a walk found, so that the thread's next one need only look up what has changed since. One
// per thread; empty at first.
struct WalkMemo {
  std::vector<FrameRecord> chain;  // innermost first, without entry frames
  std::vector<CodeInfo*> codes;    // of chain
  std::vector<int> lines;          // of chain
  uint64_t generation = 0;         // of the cache: the codes hold while it stays the same
};

class StackWalker {
 public:
  enum class Outcome {
    kComplete,
    kMissing,      // the copy lacks the frame at `address`
    kUnknownCode,  // the code objects in unknown() have not been read
    kNeedsSecond,  // not proven yet: copy it twice, at once
    kNoProof,      // in part a guess, and not proven: copy the next ones twice
    kTorn,         // when a frame's instruction is not in its code object, that one is at `address`
  };
  struct Result {
    Outcome outcome = Outcome::kTorn;
    uint64_t address = 0;
  };

  // REQUIRES: both outlive the walker.
  StackWalker(const FrameLayout& layout, CodeObjectCache& cache) : layout_(layout), cache_(cache) {}

  // Walks from `top` to the thread's base; `base` is the base frame where the version has one
  // (3.15), else 0. `copies` says how many copies were taken (1 or 2). `frames` gets the stack,
  // innermost first: shims left out; it is unspecified unless the outcome is kComplete.
  Result Walk(const StackCopy& copy, int copies, uint64_t top, uint64_t base, WalkMemo& memo,
              std::vector<StackFrame>& frames);

  // The addresses of code objects that the last walk did not know; none twice, but for recursion.
  const std::vector<uint64_t>& unknown() const { return unknown_; }
  // The frames of the last walk, and the callers that the copy shows, for StackCopy::Touch.
  struct Visited {
    uint64_t frame = 0;
    Caller caller{};
  };
  const std::vector<Visited>& visited() const { return visited_; }

 private:
  Result WalkOnce(const StackCopy& copy, int copies, uint64_t top, uint64_t base, WalkMemo& memo,
                  std::vector<StackFrame>& frames);
  Result Climb(const StackCopy& copy, uint64_t top, uint64_t base);
  const Caller* MendCaller(const StackCopy& copy, FrameRecord& frame);
  static uint64_t CallKey(uint64_t top, const FrameRecord& caller);
  void RestorePopped(uint64_t top);
  bool IsGuess() const { return restored_ || mended_; }
  bool StoodStill(const StackCopy& copy) const;
  bool RunsGenerator() const;
  uint64_t Fingerprint() const;
  size_t ReuseCallers(const WalkMemo& memo);
  Result LookUpCode(size_t count);
  Result Prove(const StackCopy& copy, int copies);
  bool TilesDataStack(const StackCopy& copy) const;

  const FrameLayout& layout_;
  CodeObjectCache& cache_;
  std::vector<FrameRecord> chain_;             // innermost first, without entry frames
  std::vector<CodeInfo*> codes_;               // of chain_
  std::vector<int> lines_;                     // of chain_
  absl::flat_hash_map<uint64_t, int> proofs_;  // by fingerprint
  std::optional<FrameRecord> popped_;  // the innermost, when it was by the time it was copied
  bool restored_ = false;              // it is in chain_ all the same
  bool mends_ = true;    // what looks overwritten gets the caller that it was last seen to have
  bool mended_ = false;  // some caller in chain_ is not what the copy shows
  absl::flat_hash_map<uint64_t, FrameRecord> calls_;  // the callee last seen, by CallKey
  std::vector<uint64_t> unknown_;
  std::vector<Visited> visited_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_STACK_WALKER_H_
