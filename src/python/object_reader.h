// ObjectReader reads Python objects of simple types out of a target: str, bytes, dict entries,
// instance attributes. All of it is untrusted and may change while it is read: every length is
// bounded, every walk too, and a failure is kDataLoss (a torn read: try again or drop it), or
// kNotFound when the process is gone.
//
// Layouts that DebugOffsets does not give (dict keys, inline values, str's state bits) are in
// object_layout.h.
//
// Lifetime: borrows memory and offsets. Thread safety: as ProcessMemory.
#ifndef FTHREADPROF_PYTHON_OBJECT_READER_H_
#define FTHREADPROF_PYTHON_OBJECT_READER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "process/process_memory.h"
#include "python/debug_offsets.h"
#include "python/object_layout.h"

namespace fthreadprof {

struct PyObjectTag;  // a PyObject in the target
using ObjectPtr = RemotePtr<PyObjectTag>;

struct DictEntry {
  ObjectPtr key;
  ObjectPtr value;
};

// The place of an attribute in an instance: `index` in the struct _dictvalues `values_offset` into
// it.
struct InlineSlot {
  uint64_t values_offset = 0;
  size_t index = 0;
};

// The status of a read that contradicts itself: the target was changing it.
inline absl::Status Torn(std::string_view what) { return absl::DataLossError(std::string(what)); }

class ObjectReader {
 public:
  // REQUIRES: both outlive the reader.
  ObjectReader(ProcessMemory& memory, const DebugOffsets& offsets)
      : memory_(memory), offsets_(offsets) {}

  // A str as UTF-8; lone surrogates become U+FFFD. Longer than `max_length` code points is cut
  // there.
  absl::StatusOr<std::string> ReadStr(ObjectPtr str, size_t max_length = 4096);
  // A bytes object. Longer than `max_size` fails with kDataLoss.
  absl::StatusOr<std::vector<uint8_t>> ReadBytes(ObjectPtr bytes,
                                                 size_t max_size = size_t{1} << 24);
  // A non-negative int that fits 64 bits.
  absl::StatusOr<uint64_t> ReadUnsigned(ObjectPtr integer);
  // The entries of a dict (combined, split and unicode-keyed tables), in insertion order, without
  // the deleted ones. More than `max_entries` fails with kDataLoss.
  absl::StatusOr<std::vector<DictEntry>> ReadDict(ObjectPtr dict, size_t max_entries = 1 << 20);
  // The value under a str key, null when there is none.
  absl::StatusOr<ObjectPtr> LookUp(ObjectPtr dict, std::string_view key);
  // The instance attribute `name` (inline values or a materialised __dict__), null when there is
  // none.
  absl::StatusOr<ObjectPtr> ReadAttribute(ObjectPtr instance, std::string_view name);
  // Where the type of `instance` keeps the attributes `names`, when they are among its inline
  // values; empty when one is not. It holds for all instances of the type, while their values are
  // valid.
  absl::StatusOr<std::vector<InlineSlot>> FindInlineSlots(ObjectPtr instance,
                                                          std::span<const std::string_view> names);

 private:
  // What is needed of a PyTypeObject.
  struct Type {
    uint64_t flags;
    uint64_t basicsize;
    uint64_t cached_keys;  // 0 for a static type
  };
  // A PyDictKeysObject as far as it is used.
  struct Keys {
    uint64_t entries;  // address
    uint64_t entry_size;
    uint64_t count;  // entries used, deleted ones included
    bool general;    // entries start with the hash
    bool split;      // the values are elsewhere
  };

  absl::StatusOr<Type> ReadType(uint64_t address);
  absl::StatusOr<Type> ReadTypeOf(ObjectPtr object);
  absl::Status CheckType(uint64_t address, uint64_t flag, const char* expected);
  absl::StatusOr<std::string> ReadStrData(uint64_t address, uint64_t length, UnicodeState state);

  static absl::StatusOr<Keys> ParseKeys(uint64_t address, std::span<const uint8_t> header);
  absl::StatusOr<std::vector<DictEntry>> ReadCombined(const Keys& keys);
  absl::StatusOr<std::vector<DictEntry>> ReadSplit(const Keys& keys, uint64_t values);
  absl::StatusOr<std::vector<size_t>> FindSharedKeys(uint64_t keys_address,
                                                     std::span<const std::string_view> names);
  absl::StatusOr<std::vector<size_t>> SearchSharedKeys(uint64_t keys_address, const Keys& keys,
                                                       std::span<const std::string_view> names);
  absl::StatusOr<std::optional<size_t>> FindKey(std::span<const DictEntry> entries,
                                                std::string_view key);

  ProcessMemory& memory_;
  const DebugOffsets& offsets_;
  // Static types, which are never freed: their flags need no second look.
  absl::flat_hash_map<uint64_t, Type> static_types_;
  // The place of an attribute by the shared keys of its type and its name, with the key that was
  // there.
  struct KnownSlot {
    uint64_t key_address;  // where in the keys
    uint64_t key;
    size_t index;
  };
  absl::flat_hash_map<std::pair<uint64_t, std::string>, KnownSlot> known_slots_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_OBJECT_READER_H_
