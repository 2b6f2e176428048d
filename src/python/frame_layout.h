// FrameLayout decodes an interpreter frame (_PyInterpreterFrame; pycore_frame.h in 3.13,
// pycore_interpframe_structs.h from 3.14 on) from a copy of its bytes.
//
// Lifetime: a plain value. Thread safety: immutable.
#ifndef FTHREADPROF_PYTHON_FRAME_LAYOUT_H_
#define FTHREADPROF_PYTHON_FRAME_LAYOUT_H_

#include <cstddef>
#include <cstdint>

#include "python/debug_offsets.h"

namespace fthreadprof {

struct FrameRecord {
  enum class Owner : uint8_t { kThread = 0, kGenerator = 1, kFrameObject = 2, kInterpreter = 3 };

  uint64_t address = 0;
  uint64_t previous = 0;    // the caller's frame; 0: none, or a generator that does not run
  uint64_t executable = 0;  // tags removed; 0: none (the frame was cleared)
  uint64_t instruction = 0;
  Owner owner = Owner::kThread;  // kInterpreter: any that no Python code runs in
  int32_t tlbc_index = 0;
  // What the frame says of itself where the version tells (3.13): it runs now, rather than waits
  // for a callee's frame; it was cleared, unless it has no locals.
  bool runs = false;
  bool maybe_cleared = false;
};

class FrameLayout {
 public:
  explicit FrameLayout(const DebugOffsets& offsets);

  // Bytes of a frame that Decode needs.
  size_t size() const { return size_; }
  // REQUIRES: bytes holds size() bytes of the frame at `address`.
  FrameRecord Decode(uint64_t address, const uint8_t* bytes) const;
  // The address of the object that a slot of a frame (_PyStackRef from 3.14 on) refers to; 0 when
  // it refers to none.
  uint64_t StripTags(uint64_t reference) const;

 private:
  DebugOffsets::InterpreterFrame frame_;
  bool tagged_;
  bool free_threaded_;
  bool has_stacktop_;
  size_t size_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_FRAME_LAYOUT_H_
