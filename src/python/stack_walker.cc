#include "python/stack_walker.h"

namespace fthreadprof {
namespace {

// Far beyond any recursion limit that a C stack survives; it bounds a corrupt chain that loops.
constexpr size_t kMaxDepth = 1 << 18;

using Owner = FrameRecord::Owner;

bool WasPopped(const FrameRecord& frame) {
  return frame.executable == 0 || (frame.owner == Owner::kGenerator && frame.previous == 0);
}

}  // namespace

StackWalker::Result StackWalker::Climb(const StackCopy& copy, int which, uint64_t top,
                                       uint64_t base, std::vector<FrameRecord>& chain) {
  chain.clear();
  bool called_from_c = false;  // an entry frame lies between the last frame of the chain and this one
  uint64_t address = top;
  for (size_t depth = 0; depth < kMaxDepth; ++depth) {
    const uint8_t* bytes = copy.Find(which, address);
    if (bytes == nullptr) return {Outcome::kMissing, address};
    const FrameRecord frame = layout_.Decode(address, bytes);
    visited_.push_back(address);
    if (frame.owner == Owner::kInterpreter) {
      if (address == base || (base == 0 && frame.previous == 0)) {
        return {Outcome::kComplete, 0};
      }
      called_from_c = true;
    } else {
      if (!chain.empty() && chain.back().maybe_cleared && chain.size() == 1 && called_from_c) {
        chain.clear();  // the innermost frame was cleared, as far as it says
      }
      if (!chain.empty() && frame.runs && !called_from_c) chain.clear();
      if (WasPopped(frame)) {
        if (!chain.empty()) return {Outcome::kTorn, 0};
      } else {
        chain.push_back(frame);
      }
      called_from_c = false;
    }
    if (frame.previous == 0) return {Outcome::kTorn, 0};
    address = frame.previous;
  }
  return {Outcome::kTorn, 0};
}

bool StackWalker::SameChain(const std::vector<FrameRecord>& a, const std::vector<FrameRecord>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].address != b[i].address || a[i].executable != b[i].executable) return false;
    // The innermost frame moves on; one that waits for its callee does not.
    if (i > 0 && a[i].instruction != b[i].instruction) return false;
  }
  return true;
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
  Result result = Climb(copy, 0, top, base, chain_);
  if (result.outcome != Outcome::kComplete) return result;
  bool leaves_data_stack = false;
  for (const FrameRecord& frame : chain_) {
    CodeInfo* code = cache_.Find(frame.executable);
    if (code == nullptr) return {Outcome::kUnknownCode, frame.executable};
    const int line = cache_.LineOf(*code, frame.instruction, frame.tlbc_index);
    if (line < 0) return {Outcome::kTorn, 0};
    codes_.push_back(code);
    if (!code->is_shim) frames.push_back({code, line});
    leaves_data_stack |= frame.owner != Owner::kThread;
  }
  if (!TilesDataStack(copy)) return {Outcome::kTorn, 0};
  if (!leaves_data_stack) return result;
  if (copies < 2) return {Outcome::kNeedsSecond, 0};
  result = Climb(copy, 1, top, base, second_);
  if (result.outcome != Outcome::kComplete) return result;
  return {SameChain(chain_, second_) ? Outcome::kComplete : Outcome::kTorn, 0};
}

}  // namespace fthreadprof
