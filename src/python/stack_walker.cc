#include "python/stack_walker.h"

#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/hash/hash.h"

namespace fthreadprof {
namespace {

constexpr size_t kMaxProven = 1 << 20;
// About 1 MiB.
constexpr size_t kMaxCalls = 1 << 14;
// From SEND, where a coroutine is while the one that it awaits runs, to behind YIELD_VALUE, where
// it is when both are suspended; bytes.
constexpr uint64_t kSendToYield = 8;
// How often a stack must be seen to stand still. Once is not enough: the copies of one call are
// rarely, but now and then, so far apart in time that the thread came back to where it was.
constexpr int kProofs = 2;

using Owner = FrameRecord::Owner;

bool WasPopped(const FrameRecord& frame) {
  return frame.executable == 0 || (frame.owner == Owner::kGenerator && frame.previous == 0);
}

}  // namespace

StackWalker::Result StackWalker::Climb(const StackCopy& copy, uint64_t top, uint64_t base) {
  chain_.clear();
  mended_ = false;
  restored_ = false;
  popped_.reset();
  FrameRecord callee;              // the frame before
  const Caller* mended = nullptr;  // what that one got
  bool called_from_c = false;      // the frame before was an entry frame
  uint64_t address = top;
  uint64_t seen = 0;  // some frame before; each power of two a later one, so that a loop meets it
  for (size_t depth = 0; depth < kMaxStackDepth; ++depth) {
    if (address == seen) return {Outcome::kTorn, 0};
    if ((depth & (depth - 1)) == 0) seen = address;
    const uint8_t* bytes = copy.Find(0, address);
    if (bytes == nullptr) return {Outcome::kMissing, address};
    FrameRecord frame = layout_.Decode(address, bytes);
    if (mended != nullptr) {
      // Suspended it is a little further than where it called.
      if (frame.owner == Owner::kGenerator) frame.instruction = mended->instruction;
    } else if (!visited_.empty()) {
      visited_.back().caller = {.address = address,
                                .executable = frame.executable,
                                .instruction = frame.instruction,
                                .callee = callee.executable,
                                .callee_instruction = callee.instruction};
    }
    mended = mends_ ? MendCaller(copy, frame) : nullptr;
    callee = frame;
    visited_.push_back({address, {}});
    if (frame.owner == Owner::kInterpreter) {
      if (address == base || (base == 0 && frame.previous == 0)) {
        return {Outcome::kComplete, 0};
      }
      called_from_c = true;
    } else {
      if (frame.runs && !called_from_c && !chain_.empty()) {
        if (chain_.size() == 1 && chain_.front().address == top) popped_ = chain_.front();
        chain_.clear();
      }
      if (WasPopped(frame) || (chain_.empty() && frame.maybe_cleared)) {
        if (!chain_.empty()) return {Outcome::kTorn, 0};
        if (address == top) popped_ = frame;
      } else {
        chain_.push_back(frame);
      }
      called_from_c = false;
    }
    if (frame.previous == 0) return {Outcome::kTorn, 0};
    address = frame.previous;
  }
  return {Outcome::kTorn, 0};
}

// A call that ended or began while it was copied leaves an entry frame that other C functions have
// written over, or a generator that nobody runs: such a frame gets the caller that it was last seen
// to have, if that one still is where it was in its code. Returns it then, else null.
const Caller* StackWalker::MendCaller(const StackCopy& copy, FrameRecord& frame) {
  const bool is_generator = frame.owner == Owner::kGenerator;
  const bool is_entry = frame.owner == Owner::kInterpreter;
  if (is_generator) {
    if (frame.previous != 0) return nullptr;
  } else if (is_entry) {
    if (copy.Find(0, frame.previous) != nullptr) return nullptr;
  } else if (copy.IsOnDataStack(frame.address)) {
    return nullptr;
  }
  const Caller* known = copy.KnownCaller(frame.address);
  if (known == nullptr || (is_generator && frame.executable != known->callee)) return nullptr;
  const uint8_t* bytes = copy.Find(0, known->address);
  if (bytes == nullptr) return nullptr;
  const FrameRecord caller = layout_.Decode(known->address, bytes);
  const bool is_entry_frame =
      !copy.IsOnDataStack(known->address) && caller.owner != Owner::kGenerator;
  if (!is_entry_frame) {
    if (caller.executable != known->executable) return nullptr;
    const uint64_t moved = caller.instruction - known->instruction;
    if (moved > (caller.owner == Owner::kGenerator ? kSendToYield : 0)) return nullptr;
  }
  frame.previous = known->address;
  // It went on until it was left.
  if (is_generator && chain_.empty()) frame.instruction = known->callee_instruction;
  if (!is_generator) frame.owner = Owner::kInterpreter;
  mended_ = true;
  return known;
}

// Where a call from chain_'s innermost frame whose own frame lies at `top` is remembered.
uint64_t StackWalker::CallKey(uint64_t top, const FrameRecord& caller) {
  return absl::HashOf(top, caller.address, caller.executable, caller.instruction);
}

// A thread that was in a call when its state was read, and no longer when its frames were: the same
// call as it was last seen, if the instruction that it left says that it was this code, and that
// makes a stack that was proven. Without it what C code calls for less than a microsecond would
// hardly ever be seen.
void StackWalker::RestorePopped(uint64_t top) {
  if (!popped_ || chain_.empty()) return;
  const auto call = calls_.find(CallKey(top, chain_.front()));
  if (call == calls_.end()) return;
  CodeInfo* code = cache_.Find(call->second.executable);
  if (code == nullptr) return;
  if (cache_.LineOf(*code, popped_->instruction, popped_->tlbc_index) < 0) return;
  chain_.insert(chain_.begin(), call->second);
  restored_ = true;
}

// True when the second copy shows the same stack as the first: the same frames, those that wait for
// a callee at the same instruction.
bool StackWalker::StoodStill(const StackCopy& copy) const {
  for (size_t i = 0; i < chain_.size(); ++i) {
    const uint8_t* bytes = copy.Find(1, chain_[i].address);
    if (bytes == nullptr) return false;
    const FrameRecord again = layout_.Decode(chain_[i].address, bytes);
    const bool same_place = i == 0 || again.instruction == chain_[i].instruction;
    if (again.executable != chain_[i].executable || again.previous != chain_[i].previous ||
        !same_place) {
      return false;
    }
  }
  return true;
}

// Whether a function on the data stack runs a generator itself, not through C code.
bool StackWalker::RunsGenerator() const {
  for (size_t i = 1; i < chain_.size(); ++i) {
    if (chain_[i - 1].owner == Owner::kGenerator && chain_[i].owner != Owner::kGenerator &&
        chain_[i - 1].previous == chain_[i].address) {
      return true;
    }
  }
  return false;
}

// A stack as told by its code objects, the places of its calls, and which of these C code made.
uint64_t StackWalker::Fingerprint() const {
  absl::InlinedVector<uint64_t, 128> parts;
  for (size_t i = 0; i < chain_.size(); ++i) {
    const bool is_direct = i + 1 < chain_.size() && chain_[i].previous == chain_[i + 1].address;
    parts.push_back(codes_[i]->serial << 1 | uint64_t{is_direct});
    if (i > 0) parts.push_back(chain_[i].instruction);
  }
  return absl::HashOf(parts);
}

bool StackWalker::TilesDataStack(const StackCopy& copy) const {
  const FrameRecord* callee = nullptr;
  for (size_t i = 0; i < chain_.size(); ++i) {
    if (chain_[i].owner != Owner::kThread) continue;
    if (callee != nullptr && chain_[i].address + codes_[i]->framesize != callee->address &&
        !copy.IsChunkStart(callee->address)) {
      return false;
    }
    callee = &chain_[i];
  }
  // C code may have resumed a generator; but not in a stack that is in part a guess.
  return callee == nullptr ? !IsGuess() : copy.IsChunkStart(callee->address);
}

// Takes over from the memo what has not changed, from the outermost frame on; returns how many
// frames are left, the innermost ones.
size_t StackWalker::ReuseCallers(const WalkMemo& memo) {
  codes_.assign(chain_.size(), nullptr);
  lines_.assign(chain_.size(), 0);
  size_t left = chain_.size();
  if (memo.generation != cache_.generation()) return left;
  for (size_t known = memo.chain.size(); left > 0 && known > 0; --left, --known) {
    const FrameRecord& now = chain_[left - 1];
    const FrameRecord& before = memo.chain[known - 1];
    if (now.address != before.address || now.executable != before.executable ||
        now.instruction != before.instruction || now.tlbc_index != before.tlbc_index) {
      break;
    }
    codes_[left - 1] = memo.codes[known - 1];
    lines_[left - 1] = memo.lines[known - 1];
  }
  return left;
}

// Finds code objects and lines of the first `count` frames of the chain.
StackWalker::Result StackWalker::LookUpCode(size_t count) {
  for (size_t i = 0; i < count; ++i) {
    codes_[i] = cache_.Find(chain_[i].executable);
    if (codes_[i] == nullptr) unknown_.push_back(chain_[i].executable);
  }
  if (!unknown_.empty()) return {Outcome::kUnknownCode, 0};
  for (size_t i = 0; i < count; ++i) {
    lines_[i] = cache_.LineOf(*codes_[i], chain_[i].instruction, chain_[i].tlbc_index);
    if (lines_[i] < 0) return {Outcome::kTorn, chain_[i].executable};
  }
  return {Outcome::kComplete, 0};
}

StackWalker::Result StackWalker::Prove(const StackCopy& copy, int copies) {
  if (proofs_.size() >= kMaxProven) proofs_.clear();
  int& proofs = proofs_[Fingerprint()];
  const bool is_proven = proofs >= kProofs;
  if (is_proven && !restored_ && !mended_) return {Outcome::kComplete, 0};
  if (!TilesDataStack(copy)) return {Outcome::kTorn, 0};
  if (restored_ || mended_) return {is_proven ? Outcome::kComplete : Outcome::kNoProof, 0};
  if (copies < 2) return {Outcome::kNeedsSecond, 0};
  if (!StoodStill(copy)) return {Outcome::kTorn, 0};
  // In a long copy a generator comes so late behind its caller that a loop may have come round
  // between each of the copies and the next.
  if (RunsGenerator() && !copy.is_short()) return {Outcome::kNeedsSecond, 0};
  return {++proofs >= kProofs ? Outcome::kComplete : Outcome::kNeedsSecond, 0};
}

StackWalker::Result StackWalker::Walk(const StackCopy& copy, int copies, uint64_t top,
                                      uint64_t base, WalkMemo& memo,
                                      std::vector<StackFrame>& frames) {
  mends_ = true;
  const Result result = WalkOnce(copy, copies, top, base, memo, frames);
  const bool failed = result.outcome == Outcome::kMissing || result.outcome == Outcome::kTorn;
  if (!failed || !mended_) return result;
  // What looked overwritten may be right, and only its caller not in the copy.
  mends_ = false;
  return WalkOnce(copy, copies, top, base, memo, frames);
}

StackWalker::Result StackWalker::WalkOnce(const StackCopy& copy, int copies, uint64_t top,
                                          uint64_t base, WalkMemo& memo,
                                          std::vector<StackFrame>& frames) {
  frames.clear();
  visited_.clear();
  unknown_.clear();
  Result result = Climb(copy, top, base);
  if (result.outcome != Outcome::kComplete) return result;
  RestorePopped(top);
  const size_t changed = ReuseCallers(memo);
  result = LookUpCode(changed);
  if (result.outcome == Outcome::kUnknownCode) return result;
  for (size_t i = 0; i < chain_.size(); ++i) {
    if (!codes_[i]->is_shim) frames.push_back({codes_[i], lines_[i]});
  }
  if (result.outcome != Outcome::kComplete) return result;
  // The memo holds a stack that was proven; so is this one, if it differs in the innermost frame's
  // instruction at most.
  const bool same_stack =
      chain_.size() == memo.chain.size() && changed <= 1 &&
      (changed == 0 || (memo.generation == cache_.generation() && codes_[0] == memo.codes[0]));
  if (!same_stack) {
    result = Prove(copy, copies);
    if (result.outcome != Outcome::kComplete) return result;
  }
  if (!same_stack && !IsGuess() && chain_.size() > 1) {
    if (calls_.size() >= kMaxCalls) calls_.clear();
    calls_[CallKey(top, chain_[1])] = chain_[0];
  }
  std::swap(memo.chain, chain_);
  std::swap(memo.codes, codes_);
  std::swap(memo.lines, lines_);
  memo.generation = cache_.generation();
  return result;
}

}  // namespace fthreadprof
