#include "python/frame_layout.h"

#include <algorithm>

#include "base/load.h"

namespace fthreadprof {
namespace {

// PyObjects are 8-aligned at least, so three bits are free for tags; CPython uses two
// (pycore_stackref.h): 0 and 1 mark a reference, 2 is invalid, 3 a tagged int, and 1 alone is
// null. 3.14's free-threaded build uses one.
constexpr uint64_t kTagBits = 3;
constexpr uint64_t kTagInvalid = 2;

}  // namespace

FrameLayout::FrameLayout(const DebugOffsets& offsets)
    : frame_(offsets.interpreter_frame),
      tagged_(offsets.minor() >= 14),
      free_threaded_(offsets.free_threaded),
      has_stacktop_(frame_.stacktop != DebugOffsets::kAbsent) {
  size_ = std::max(
      {frame_.previous + 8, frame_.executable + 8, frame_.instr_ptr + 8, frame_.owner + 1});
  if (has_stacktop_) size_ = std::max(size_, frame_.stacktop + 4);
  if (frame_.tlbc_index != DebugOffsets::kAbsent) size_ = std::max(size_, frame_.tlbc_index + 4);
}

uint64_t FrameLayout::StripTags(uint64_t reference) const {
  if (!tagged_) return reference;
  // A tagged int or an invalid reference is no object.
  if ((reference & kTagInvalid) != 0) return 0;
  return reference & ~kTagBits;
}

FrameRecord FrameLayout::Decode(uint64_t address, const uint8_t* bytes) const {
  FrameRecord record;
  record.address = address;
  record.previous = Load<uint64_t>(bytes, frame_.previous);
  record.executable = StripTags(Load<uint64_t>(bytes, frame_.executable));
  record.instruction = Load<uint64_t>(bytes, frame_.instr_ptr);
  const uint8_t owner = bytes[frame_.owner];
  record.owner =
      owner >= 3 ? FrameRecord::Owner::kInterpreter : static_cast<FrameRecord::Owner>(owner);
  if (free_threaded_ && frame_.tlbc_index != DebugOffsets::kAbsent) {
    record.tlbc_index = Load<int32_t>(bytes, frame_.tlbc_index);
  }
  if (has_stacktop_) {
    // _PyFrame_GetStackPointer leaves -1, _PyFrame_ClearLocals 0 (3.13: pycore_frame.h, frame.c).
    const auto stacktop = Load<int32_t>(bytes, frame_.stacktop);
    record.runs = stacktop == -1;
    record.maybe_cleared = stacktop == 0;
  }
  return record;
}

}  // namespace fthreadprof
