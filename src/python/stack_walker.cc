#include "python/stack_walker.h"

#include "absl/container/inlined_vector.h"
#include "absl/hash/hash.h"

namespace fthreadprof {
namespace {

// Far beyond any recursion limit that a C stack survives; it bounds a corrupt chain that loops.
constexpr size_t kMaxDepth = 1 << 18;
constexpr size_t kMaxProven = 1 << 20;

using Owner = FrameRecord::Owner;

bool WasPopped(const FrameRecord& frame) {
  return frame.executable == 0 || (frame.owner == Owner::kGenerator && frame.previous == 0);
}

}  // namespace

StackWalker::Result StackWalker::Climb(const StackCopy& copy, uint64_t top, uint64_t base) {
  chain_.clear();
  bool called_from_c =
      false;  // an entry frame lies between the last frame of the chain and this one
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

// True when the frames that wait for a callee are in the second copy as they are in the first. They
// were there, then, when the innermost frame was copied in between.
bool StackWalker::CallersStood(const StackCopy& copy) const {
  for (size_t i = 1; i < chain_.size(); ++i) {
    const uint8_t* bytes = copy.Find(1, chain_[i].address);
    if (bytes == nullptr) return false;
    const FrameRecord again = layout_.Decode(chain_[i].address, bytes);
    if (again.executable != chain_[i].executable || again.previous != chain_[i].previous ||
        again.instruction != chain_[i].instruction) {
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
  Result result = Climb(copy, top, base);
  if (result.outcome != Outcome::kComplete) return result;
  for (const FrameRecord& frame : chain_) {
    CodeInfo* code = cache_.Find(frame.executable);
    if (code == nullptr) return {Outcome::kUnknownCode, frame.executable};
    const int line = cache_.LineOf(*code, frame.instruction, frame.tlbc_index);
    if (line < 0) return {Outcome::kTorn, 0};
    codes_.push_back(code);
    if (!code->is_shim) frames.push_back({code, line});
  }
  const uint64_t fingerprint = Fingerprint();
  if (proven_.contains(fingerprint)) return result;
  if (!TilesDataStack(copy)) return {Outcome::kTorn, 0};
  if (copies < 2) return {Outcome::kNeedsSecond, 0};
  if (!CallersStood(copy)) return {Outcome::kTorn, 0};
  if (proven_.size() >= kMaxProven) proven_.clear();
  proven_.insert(fingerprint);
  return result;
}

}  // namespace fthreadprof
