// ValueReader spells Python objects out of a target as a person would write them: None, bool, int,
// float, str, bytes, and lists, tuples and dicts of those. What is long is cut, everything else is
// "<type at 0x...>", and what can't be read "?".
//
// The object is untrusted, and may be freed while it is read: every length is bounded, and a value
// read from a running process may be wrong; it is right where the process was stopped.
//
// Lifetime: borrows memory and offsets. Thread safety: as ProcessMemory.
#ifndef FTHREADPROF_PYTHON_VALUE_READER_H_
#define FTHREADPROF_PYTHON_VALUE_READER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "process/process_memory.h"
#include "python/debug_offsets.h"
#include "python/object_reader.h"

namespace fthreadprof {

class ValueReader {
 public:
  static constexpr std::string_view kUnreadable = "?";
  // Longer ones are cut, with "..." behind what is shown.
  static constexpr size_t kMaxText = 60;  // characters of a str, bytes of a bytes
  static constexpr size_t kMaxItems = 8;  // of a container
  static constexpr int kMaxNesting = 2;   // containers in containers

  // REQUIRES: both outlive the reader.
  ValueReader(ProcessMemory& memory, const DebugOffsets& offsets)
      : memory_(memory), offsets_(offsets), objects_(memory, offsets) {}

  // UTF-8 on one line.
  std::string Spell(ObjectPtr object) { return Spell(object, 0); }
  // The name of the object's type, "?" when it can't be read.
  std::string TypeOf(ObjectPtr object);
  // True for an object of CPython's own type `name`, such as "cell".
  bool IsBuiltin(ObjectPtr object, std::string_view name);

 private:
  struct Type {
    std::string name;
    bool builtin = false;  // static, so CPython's or an extension's own
  };

  std::string Spell(ObjectPtr object, int nesting);
  absl::StatusOr<std::string> SpellAs(const Type& type, ObjectPtr object, int nesting);
  absl::StatusOr<Type> ReadType(ObjectPtr object);
  absl::StatusOr<std::string> ReadTypeName(uint64_t address);
  absl::StatusOr<std::string> SpellInt(ObjectPtr object, bool as_bool);
  absl::StatusOr<std::string> SpellFloat(ObjectPtr object);
  absl::StatusOr<std::string> SpellStr(ObjectPtr object);
  absl::StatusOr<std::string> SpellBytes(ObjectPtr object);
  absl::StatusOr<std::string> SpellSequence(ObjectPtr object, bool tuple, int nesting);
  absl::StatusOr<std::string> SpellDict(ObjectPtr object, int nesting);

  ProcessMemory& memory_;
  const DebugOffsets& offsets_;
  ObjectReader objects_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_VALUE_READER_H_
