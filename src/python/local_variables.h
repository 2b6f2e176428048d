// LocalsReader reads the local variables of a frame: names from its code object
// (co_localsplusnames), values from its slots (localsplus). Variables that have no value yet are
// left out. Module and class bodies keep theirs in a dict that is not read.
//
// Untrusted, as all that a target holds: a frame that was left meanwhile gives kDataLoss.
//
// Lifetime: borrows memory and offsets. Thread safety: as ProcessMemory.
#ifndef FTHREADPROF_PYTHON_LOCAL_VARIABLES_H_
#define FTHREADPROF_PYTHON_LOCAL_VARIABLES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "process/process_memory.h"
#include "python/code_object_cache.h"
#include "python/debug_offsets.h"
#include "python/frame_layout.h"
#include "python/value_reader.h"

namespace fthreadprof {

struct LocalVariable {
  std::string name;
  std::string type;
  std::string value;  // as ValueReader spells it; empty when values were not asked for
};

class LocalsReader {
 public:
  // REQUIRES: both outlive the reader.
  LocalsReader(ProcessMemory& memory, const DebugOffsets& offsets)
      : memory_(memory),
        offsets_(offsets),
        layout_(offsets),
        objects_(memory, offsets),
        values_(memory, offsets) {}

  // The variables of `frame`, in the order of their slots. Fails with kDataLoss when the frame does
  // not run `code` any more, before or after its variables were read.
  absl::StatusOr<std::vector<LocalVariable>> Read(const FrameRecord& frame, const CodeInfo& code,
                                                  bool with_values);

 private:
  struct Slots {
    std::vector<std::string> names;
    std::vector<uint8_t> kinds;
  };

  absl::StatusOr<const Slots*> FindSlots(const CodeInfo& code);
  absl::StatusOr<Slots> ReadSlots(const CodeInfo& code);
  absl::Status CheckFrame(const FrameRecord& frame);
  // The object in a slot, out of its cell; null when it has none.
  ObjectPtr ObjectIn(uint64_t slot, uint8_t kind);

  ProcessMemory& memory_;
  const DebugOffsets& offsets_;
  FrameLayout layout_;
  ObjectReader objects_;
  ValueReader values_;
  absl::flat_hash_map<uint64_t, Slots> slots_;  // by CodeInfo::serial
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_LOCAL_VARIABLES_H_
