// FakeObjects lays out Python objects in a FakeMemory as a given release would, each in a region of
// its own, so that a read past an object fails.
#ifndef FTHREADPROF_TESTS_UNIT_PYTHON_FAKE_OBJECTS_H_
#define FTHREADPROF_TESTS_UNIT_PYTHON_FAKE_OBJECTS_H_

#include <bit>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "python/debug_offsets.h"
#include "python/object_layout.h"
#include "python/object_reader.h"
#include "unit/process/fake_memory.h"

namespace fthreadprof {

class FakeObjects {
 public:
  using Entries = std::vector<std::pair<ObjectPtr, ObjectPtr>>;

  FakeObjects(FakeMemory& memory, const DebugOffsets& offsets)
      : memory_(memory),
        o_(offsets),
        str_type_(StaticType(TypeFlags::kUnicodeSubclass)),
        bytes_type_(StaticType(TypeFlags::kBytesSubclass)),
        int_type_(StaticType(TypeFlags::kLongSubclass)),
        dict_type_(StaticType(TypeFlags::kDictSubclass)),
        module_type_(StaticType(0)) {}

  // A region of its own. `before` bytes in front of the address are readable too.
  uint64_t Allocate(size_t size, size_t before = 0) {
    memory_.AddZeros(next_, before + size);
    const uint64_t address = next_ + before;
    next_ += (before + size + 0xfff) & ~uint64_t{0xfff};
    return address;
  }

  ObjectPtr Str(std::u32string_view text, bool compact = true) {
    char32_t largest = 0;
    for (char32_t c : text) largest = std::max(largest, c);
    const uint32_t kind = largest < 0x100 ? 1 : largest < 0x10000 ? 2 : 4;
    const bool ascii = largest < 0x80;
    std::vector<uint8_t> data;
    for (char32_t c : text) {
      for (uint32_t i = 0; i < kind; ++i) data.push_back(static_cast<uint8_t>(c >> 8 * i));
    }
    const uint64_t head = !compact ? o_.unicode_object.size
                          : ascii  ? o_.unicode_object.asciiobject_size
                                   : UnicodeDataField(o_);
    const uint64_t str = Allocate(head + (compact ? data.size() : 0));
    SetType(str, str_type_);
    memory_.Write<uint64_t>(str + o_.unicode_object.length, text.size());
    const uint32_t bits = kind | uint32_t{compact} << 3 | uint32_t{ascii} << 4;
    memory_.Write<uint32_t>(str + o_.unicode_object.state,
                            bits << UnicodeState::KindShift(o_) | 1);  // interned
    const uint64_t at = compact ? str + head : Allocate(data.size() + 1);
    if (!compact) memory_.Write<uint64_t>(str + UnicodeDataField(o_), at);
    if (!data.empty()) memory_.WriteBytes(at, data.data(), data.size());
    return ObjectPtr(str);
  }
  ObjectPtr Str(std::string_view ascii) { return Str(std::u32string(ascii.begin(), ascii.end())); }

  ObjectPtr Bytes(const std::vector<uint8_t>& data) {
    const uint64_t bytes = Allocate(o_.bytes_object.ob_sval + data.size() + 1);
    SetType(bytes, bytes_type_);
    memory_.Write<uint64_t>(bytes + o_.bytes_object.ob_size, data.size());
    if (!data.empty()) {
      memory_.WriteBytes(bytes + o_.bytes_object.ob_sval, data.data(), data.size());
    }
    return ObjectPtr(bytes);
  }

  ObjectPtr Int(const std::vector<uint32_t>& digits, uint64_t sign = 0) {
    const uint64_t integer = Allocate(o_.long_object.ob_digit + 4 * digits.size());
    SetType(integer, int_type_);
    memory_.Write<uint64_t>(integer + o_.long_object.lv_tag,
                            digits.size() << LongTag::kNonSizeBits | sign);
    for (size_t i = 0; i < digits.size(); ++i) {
      memory_.Write<uint32_t>(integer + o_.long_object.ob_digit + 4 * i, digits[i]);
    }
    return ObjectPtr(integer);
  }
  // REQUIRES: value has two digits, as an ident has.
  ObjectPtr Ident(uint64_t value) {
    return Int({static_cast<uint32_t>(value & 0x3fffffff), static_cast<uint32_t>(value >> 30)});
  }

  uint64_t Keys(DictKeys::Kind kind, const Entries& entries, int log2_size = 3) {
    const bool general = kind == DictKeys::kGeneral;
    const uint64_t entry_size = general ? DictKeys::kGeneralEntrySize : DictKeys::kUnicodeEntrySize;
    const uint64_t start = DictKeys::kHeaderSize + (uint64_t{1} << log2_size);
    const uint64_t keys = Allocate(start + entries.size() * entry_size);
    memory_.Write<uint8_t>(keys + DictKeys::kLog2Size, static_cast<uint8_t>(log2_size));
    memory_.Write<uint8_t>(keys + DictKeys::kLog2IndexBytes, static_cast<uint8_t>(log2_size));
    memory_.Write<uint8_t>(keys + DictKeys::kKind, kind);
    memory_.Write<uint64_t>(keys + DictKeys::kEntryCount, entries.size());
    for (size_t i = 0; i < entries.size(); ++i) {
      const uint64_t at = keys + start + i * entry_size + (general ? kWordSize : 0);
      memory_.Write<uint64_t>(at, entries[i].first.address());
      memory_.Write<uint64_t>(at + kWordSize, entries[i].second.address());
    }
    return keys;
  }

  ObjectPtr Dict(uint64_t keys, uint64_t values = 0) {
    const uint64_t dict = Allocate(o_.dict_object.size);
    SetType(dict, dict_type_);
    memory_.Write<uint64_t>(dict + o_.dict_object.ma_keys, keys);
    memory_.Write<uint64_t>(dict + o_.dict_object.ma_values, values);
    return ObjectPtr(dict);
  }
  ObjectPtr StrDict(const Entries& entries) { return Dict(Keys(DictKeys::kUnicode, entries, 6)); }

  ObjectPtr Module(ObjectPtr globals) {
    const uint64_t module = Allocate(o_.pyobject.size + kWordSize);
    SetType(module, module_type_);
    memory_.Write<uint64_t>(module + ModuleDictField(o_), globals.address());
    return ObjectPtr(module);
  }

  // struct _dictvalues with every value set, in the order `order`.
  static std::vector<uint8_t> Values(const std::vector<ObjectPtr>& values,
                                     const std::vector<uint8_t>& order, bool valid) {
    std::vector<uint8_t> bytes(DictValues::kHeaderSize + values.size() * kWordSize + order.size());
    bytes[DictValues::kCapacity] = static_cast<uint8_t>(values.size());
    bytes[DictValues::kSize] = static_cast<uint8_t>(order.size());
    bytes[DictValues::kValid] = valid;
    for (size_t i = 0; i < values.size(); ++i) {
      const uint64_t value = values[i].address();
      std::memcpy(&bytes[DictValues::kHeaderSize + i * kWordSize], &value, kWordSize);
    }
    std::copy(order.begin(), order.end(), bytes.end() - static_cast<std::ptrdiff_t>(order.size()));
    return bytes;
  }

  // A class as Python code makes it; `keys` are its shared keys.
  uint64_t Class(uint64_t keys, bool inline_values) {
    const uint64_t type = Allocate(o_.type_object.ht_cached_keys + kWordSize);
    memory_.Write<uint64_t>(type + o_.type_object.tp_flags,
                            TypeFlags::kHeapType | TypeFlags::kManagedDict |
                                (inline_values ? TypeFlags::kInlineValues : 0));
    memory_.Write<uint64_t>(type + o_.type_object.tp_basicsize, o_.pyobject.size);
    memory_.Write<uint64_t>(type + o_.type_object.ht_cached_keys, keys);
    return type;
  }
  ObjectPtr Instance(uint64_t type, const std::vector<uint8_t>& values, ObjectPtr dict = {}) {
    const uint64_t instance = Allocate(o_.pyobject.size + values.size(), ManagedDictDistance(o_));
    SetType(instance, type);
    if (!values.empty()) {
      memory_.WriteBytes(instance + o_.pyobject.size, values.data(), values.size());
    }
    memory_.Write<uint64_t>(instance - ManagedDictDistance(o_), dict.address());
    return ObjectPtr(instance);
  }

  void SetType(uint64_t object, uint64_t type) {
    memory_.Write<uint64_t>(object + o_.pyobject.ob_type, type);
  }

 private:
  uint64_t StaticType(uint64_t flags) {
    const uint64_t type = Allocate(o_.type_object.size);
    memory_.Write<uint64_t>(type + o_.type_object.tp_flags, flags);
    return type;
  }

  FakeMemory& memory_;
  const DebugOffsets& o_;
  uint64_t next_ = 0x7f00'0000'0000;
  uint64_t str_type_, bytes_type_, int_type_, dict_type_, module_type_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_PYTHON_FAKE_OBJECTS_H_
