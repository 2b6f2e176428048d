#include "python/object_reader.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/utf8.h"

namespace fthreadprof {
namespace {

// Static types remembered at most; a target with more starts over.
constexpr size_t kMaxStaticTypes = 4096;
constexpr char32_t kReplacement = 0xfffd;

char32_t CodePointAt(const std::vector<uint8_t>& data, size_t index, uint32_t kind) {
  uint32_t value = 0;  // little-endian, as the target
  std::memcpy(&value, data.data() + index * kind, kind);
  return value;
}

uint64_t WordAt(std::span<const uint8_t> bytes, uint64_t offset) {
  uint64_t word;
  std::memcpy(&word, bytes.data() + offset, sizeof word);
  return word;
}

}  // namespace

absl::StatusOr<ObjectReader::Type> ObjectReader::ReadType(uint64_t address) {
  if (auto known = static_types_.find(address); known != static_types_.end()) return known->second;
  const DebugOffsets::TypeObject& layout = offsets_.type_object;
  Type type{};
  const MemoryPiece pieces[] = {
      {address + layout.tp_flags, &type.flags, sizeof type.flags},
      {address + layout.tp_basicsize, &type.basicsize, sizeof type.basicsize},
      {address + layout.ht_cached_keys, &type.cached_keys, sizeof type.cached_keys}};
  FTP_ASSIGN_OR_RETURN(const size_t read, memory_.ReadPieces(pieces));
  // A static type is no PyHeapTypeObject: what lies behind it is none of its keys.
  const bool heap_type = (type.flags & TypeFlags::kHeapType) != 0;
  if (read < (heap_type ? 3 : 2)) return Torn("a type cannot be read");
  if (!heap_type) {
    type.cached_keys = 0;
    if (static_types_.size() >= kMaxStaticTypes) static_types_.clear();
    static_types_[address] = type;
  }
  return type;
}

absl::Status ObjectReader::CheckType(uint64_t address, uint64_t flag, const char* expected) {
  FTP_ASSIGN_OR_RETURN(const Type type, ReadType(address));
  if ((type.flags & flag) == 0) return Torn(absl::StrCat("an object is no ", expected));
  return absl::OkStatus();
}

absl::StatusOr<std::string> ObjectReader::ReadStr(ObjectPtr str, size_t max_length) {
  const DebugOffsets::UnicodeObject& layout = offsets_.unicode_object;
  std::vector<uint8_t> head(layout.asciiobject_size);
  FTP_RETURN_IF_ERROR(memory_.Read(str.address(), head.data(), head.size()));
  FTP_RETURN_IF_ERROR(
      CheckType(WordAt(head, offsets_.pyobject.ob_type), TypeFlags::kUnicodeSubclass, "str"));

  uint32_t bits;
  std::memcpy(&bits, head.data() + layout.state, sizeof bits);
  const UnicodeState state = UnicodeState::Decode(bits, offsets_);
  if (state.kind != 1 && state.kind != 2 && state.kind != 4) return Torn("a str of no kind");
  const uint64_t length = std::min<uint64_t>(WordAt(head, layout.length), max_length);
  uint64_t data = str.address();
  if (!state.compact) {
    FTP_ASSIGN_OR_RETURN(data, memory_.ReadValue<uint64_t>(data + UnicodeDataField(offsets_)));
  } else {
    data += state.ascii ? layout.asciiobject_size : UnicodeDataField(offsets_);
  }
  return ReadStrData(data, length, state);
}

absl::StatusOr<std::string> ObjectReader::ReadStrData(uint64_t address, uint64_t length,
                                                      UnicodeState state) {
  std::vector<uint8_t> data(length * state.kind);
  if (!data.empty()) FTP_RETURN_IF_ERROR(memory_.Read(address, data.data(), data.size()));
  const char32_t limit = state.ascii ? 0x7f : 0x10ffff;
  std::string text;
  text.reserve(data.size());
  for (size_t i = 0; i < length; ++i) {
    const char32_t c = CodePointAt(data, i, state.kind);
    if (c > limit) return Torn("a str has a character that it cannot have");
    AppendUtf8(text, c >= 0xd800 && c <= 0xdfff ? kReplacement : c);
  }
  return text;
}

absl::StatusOr<std::vector<uint8_t>> ObjectReader::ReadBytes(ObjectPtr bytes, size_t max_size) {
  const DebugOffsets::BytesObject& layout = offsets_.bytes_object;
  uint64_t type = 0;
  uint64_t size = 0;
  const MemoryPiece head[] = {{bytes.address() + offsets_.pyobject.ob_type, &type, sizeof type},
                              {bytes.address() + layout.ob_size, &size, sizeof size}};
  FTP_ASSIGN_OR_RETURN(const size_t read, memory_.ReadPieces(head));
  if (read < std::size(head)) return Torn("a bytes object cannot be read");
  FTP_RETURN_IF_ERROR(CheckType(type, TypeFlags::kBytesSubclass, "bytes"));
  if (size > max_size) return Torn(absl::StrCat("a bytes object of ", size, " bytes"));
  std::vector<uint8_t> data(size);
  if (size > 0) {
    FTP_RETURN_IF_ERROR(memory_.Read(bytes.address() + layout.ob_sval, data.data(), size));
  }
  return data;
}

absl::StatusOr<uint64_t> ObjectReader::ReadUnsigned(ObjectPtr integer) {
  const DebugOffsets::LongObject& layout = offsets_.long_object;
  uint64_t type = 0;
  uint64_t tag = 0;
  const MemoryPiece head[] = {{integer.address() + offsets_.pyobject.ob_type, &type, sizeof type},
                              {integer.address() + layout.lv_tag, &tag, sizeof tag}};
  FTP_ASSIGN_OR_RETURN(const size_t read, memory_.ReadPieces(head));
  if (read < std::size(head)) return Torn("an int cannot be read");
  FTP_RETURN_IF_ERROR(CheckType(type, TypeFlags::kLongSubclass, "int"));
  const uint64_t count = tag >> LongTag::kNonSizeBits;
  uint32_t digits[3] = {};  // 64 bits are two digits of 30 and 4 bits of the third
  if ((tag & LongTag::kSignMask) == LongTag::kNegative || count > std::size(digits)) {
    return Torn("an int does not fit 64 bits");
  }
  if (count > 0) {
    FTP_RETURN_IF_ERROR(
        memory_.Read(integer.address() + layout.ob_digit, digits, count * sizeof digits[0]));
  }
  uint64_t value = 0;
  for (size_t i = count; i-- > 0;) {
    if (digits[i] >> LongTag::kDigitBits != 0) return Torn("an int has a digit too large");
    if (value >> (64 - LongTag::kDigitBits) != 0) return Torn("an int does not fit 64 bits");
    value = value << LongTag::kDigitBits | digits[i];
  }
  return value;
}

absl::StatusOr<ObjectReader::Type> ObjectReader::ReadTypeOf(ObjectPtr object) {
  FTP_ASSIGN_OR_RETURN(const uint64_t address,
                       memory_.ReadValue<uint64_t>(object.address() + offsets_.pyobject.ob_type));
  return ReadType(address);
}

absl::StatusOr<std::vector<InlineSlot>> ObjectReader::FindInlineSlots(
    ObjectPtr instance, std::span<const std::string_view> names) {
  FTP_ASSIGN_OR_RETURN(const Type type, ReadTypeOf(instance));
  std::vector<InlineSlot> slots;
  if ((type.flags & TypeFlags::kInlineValues) == 0 || type.cached_keys == 0) return slots;
  FTP_ASSIGN_OR_RETURN(const std::vector<size_t> indexes, FindSharedKeys(type.cached_keys, names));
  for (const size_t index : indexes) slots.push_back({type.basicsize, index});
  return slots;
}

absl::StatusOr<ObjectPtr> ObjectReader::ReadAttribute(ObjectPtr instance, std::string_view name) {
  FTP_ASSIGN_OR_RETURN(const Type type, ReadTypeOf(instance));
  if ((type.flags & TypeFlags::kInlineValues) != 0) {
    const uint64_t values = instance.address() + type.basicsize;
    uint8_t header[DictValues::kHeaderSize];
    FTP_RETURN_IF_ERROR(memory_.Read(values, header, sizeof header));
    // While they are valid they are the attributes, even of an instance that has a __dict__.
    if (header[DictValues::kValid] != 0) {
      FTP_ASSIGN_OR_RETURN(const std::vector<InlineSlot> slots,
                           FindInlineSlots(instance, std::span(&name, 1)));
      if (slots.empty() || slots[0].index >= header[DictValues::kCapacity]) return ObjectPtr();
      FTP_ASSIGN_OR_RETURN(const uint64_t value,
                           memory_.ReadValue<uint64_t>(values + DictValues::kHeaderSize +
                                                       slots[0].index * kWordSize));
      return ObjectPtr(value);
    }
  }
  if ((type.flags & TypeFlags::kManagedDict) == 0) return ObjectPtr();
  FTP_ASSIGN_OR_RETURN(
      const uint64_t dict,
      memory_.ReadValue<uint64_t>(instance.address() - ManagedDictDistance(offsets_)));
  if (dict == 0) return ObjectPtr();
  return LookUp(ObjectPtr(dict), name);
}

}  // namespace fthreadprof
