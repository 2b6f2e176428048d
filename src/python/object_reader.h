// ObjectReader reads Python objects of simple types out of a target: str, bytes, dict entries, instance
// attributes. All of it is untrusted and may change while it is read: every length is
// bounded, every walk too, and a failure is kDataLoss (a torn read: try again or drop it), or kNotFound when
// the process is gone.
//
// Layouts that DebugOffsets does not give (dict keys, inline values, str's state bits) are cited in
// object_reader.cc by header and version.
//
// Lifetime: borrows memory and offsets. Thread safety: as ProcessMemory.
#ifndef FTHREADPROF_PYTHON_OBJECT_READER_H_
#define FTHREADPROF_PYTHON_OBJECT_READER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "process/process_memory.h"
#include "python/debug_offsets.h"

namespace fthreadprof {

struct PyObjectTag;  // a PyObject in the target
using ObjectPtr = RemotePtr<PyObjectTag>;

struct DictEntry {
  ObjectPtr key;
  ObjectPtr value;
};

class ObjectReader {
 public:
  // REQUIRES: both outlive the reader.
  ObjectReader(ProcessMemory& memory, const DebugOffsets& offsets)
      : memory_(memory), offsets_(offsets) {}

  // A str as UTF-8; lone surrogates become U+FFFD. Longer than `max_length` code points is cut there.
  absl::StatusOr<std::string> ReadStr(ObjectPtr str, size_t max_length = 4096);
  // A bytes object. Longer than `max_size` fails with kDataLoss.
  absl::StatusOr<std::vector<uint8_t>> ReadBytes(ObjectPtr bytes, size_t max_size = size_t{1} << 24);
  // A non-negative int that fits 64 bits.
  absl::StatusOr<uint64_t> ReadUnsigned(ObjectPtr integer);
  // The entries of a dict (combined, split and unicode-keyed tables), in insertion order, without
  // the deleted ones. More than `max_entries` fails with kDataLoss.
  absl::StatusOr<std::vector<DictEntry>> ReadDict(ObjectPtr dict, size_t max_entries = 1 << 20);
  // The value under a str key, null when there is none.
  absl::StatusOr<ObjectPtr> LookUp(ObjectPtr dict, std::string_view key);
  // The instance attribute `name` (inline values or a materialised __dict__), null when there is none.
  absl::StatusOr<ObjectPtr> ReadAttribute(ObjectPtr instance, std::string_view name);

 private:
  ProcessMemory& memory_;
  const DebugOffsets& offsets_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_OBJECT_READER_H_
