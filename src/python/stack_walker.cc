#include "python/stack_walker.h"

#include "absl/container/inlined_vector.h"
#include "absl/hash/hash.h"

namespace fthreadprof {
namespace {

// Far beyond any recursion limit that a C stack survives; it bounds a corrupt chain that loops.
constexpr size_t kMaxDepth = 1 << 18;
constexpr size_t kMaxProven = 1 << 20;
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
  bool called_from_c = false;  // the frame before was an entry frame
  uint64_t address = top;
  for (size_t depth = 0; depth < kMaxDepth; ++depth) {
    const uint8_t* bytes = copy.Find(0, address);
    if (bytes == nullptr) return {Outcome::kMissing, address};
    const FrameRecord frame = layout_.Decode(address, bytes);
    visited_.push_back(address);
    if (frame.owner == Owner::kInterpreter) {
      if (address == base || (base == 0 && frame.previous == 0)) {
        return {Outcome::kComplete, 0};
      }
      called_from_c = true;
    } else {
      if (frame.runs && !called_from_c) chain_.clear();
      if (WasPopped(frame) || (chain_.empty() && frame.maybe_cleared)) {
        if (!chain_.empty()) return {Outcome::kTorn, 0};
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

// True when the second copy shows the same stack as the first: the same frames, those that wait for a
// callee at the same instruction.
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

// A stack as told by its code objects and the places of its calls.
uint64_t StackWalker::Fingerprint() const {
  absl::InlinedVector<uint64_t, 128> parts;
  for (size_t i = 0; i < chain_.size(); ++i) {
    parts.push_back(codes_[i]->serial);
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
  return callee == nullptr || copy.IsChunkStart(callee->address);
}

StackWalker::Result StackWalker::Walk(const StackCopy& copy, int copies, uint64_t top,
                                      uint64_t base, std::vector<StackFrame>& frames) {
  frames.clear();
  visited_.clear();
  codes_.clear();
  unknown_.clear();
  Result result = Climb(copy, top, base);
  if (result.outcome != Outcome::kComplete) return result;
  for (const FrameRecord& frame : chain_) {
    CodeInfo* code = cache_.Find(frame.executable);
    if (code == nullptr) {
      unknown_.push_back(frame.executable);
      continue;
    }
    if (!unknown_.empty()) continue;
    const int line = cache_.LineOf(*code, frame.instruction, frame.tlbc_index);
    if (line < 0) return {Outcome::kTorn, 0};
    codes_.push_back(code);
    if (!code->is_shim) frames.push_back({code, line});
  }
  if (!unknown_.empty()) return {Outcome::kUnknownCode, 0};
  const uint64_t fingerprint = Fingerprint();
  const auto proof = proofs_.find(fingerprint);
  if (proof != proofs_.end() && proof->second >= kProofs) return result;
  if (!TilesDataStack(copy)) return {Outcome::kTorn, 0};
  if (copies < 2) return {Outcome::kNeedsSecond, 0};
  if (!StoodStill(copy)) return {Outcome::kTorn, 0};
  if (proofs_.size() >= kMaxProven) proofs_.clear();
  return {++proofs_[fingerprint] >= kProofs ? Outcome::kComplete : Outcome::kNeedsSecond, 0};
}

}  // namespace fthreadprof
