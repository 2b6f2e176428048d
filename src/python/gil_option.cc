#include "python/gil_option.h"

#include "base/status_macros.h"
#include "python/object_reader.h"
#include "python/value_reader.h"

namespace fthreadprof {
namespace {

// Of `gil` in sys.flags, a tuple with more items than it shows; sysmodule.c of 3.13, 3.14 and 3.15.
constexpr uint64_t kFlagIndex = 18;

}  // namespace

absl::StatusOr<bool> IsGilForcedOn(ProcessMemory& memory, const DebugOffsets& offsets,
                                   InterpreterPtr interpreter) {
  FTP_ASSIGN_OR_RETURN(
      const uint64_t sys,
      memory.ReadValue<uint64_t>(interpreter.address() + offsets.interpreter_state.sysdict));
  if (sys == 0) return absl::UnavailableError("there is no sys yet");
  ObjectReader objects(memory, offsets);
  FTP_ASSIGN_OR_RETURN(const ObjectPtr flags, objects.LookUp(ObjectPtr(sys), "flags"));
  if (!flags) return absl::UnavailableError("there is no sys.flags yet");
  ValueReader values(memory, offsets);
  if (values.TypeOf(flags) != "flags") return Torn("sys.flags is something else");
  FTP_ASSIGN_OR_RETURN(const uint64_t gil,
                       memory.ReadValue<uint64_t>(flags.address() + offsets.tuple_object.ob_item +
                                                  kFlagIndex * kWordSize));
  return values.Spell(ObjectPtr(gil)) == "1";  // else None: modules decide
}

}  // namespace fthreadprof
