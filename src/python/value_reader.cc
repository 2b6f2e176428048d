#include "python/value_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <span>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "python/object_layout.h"

namespace fthreadprof {
namespace {

constexpr size_t kMaxTypeName = 128;
constexpr uint64_t kPageSize = 4096;
// Ints of more digits (of 30 bits) are not spelled out.
constexpr size_t kMaxDigits = 4;
// A dict's entries are read all at once; one of more is not spelled out.
constexpr size_t kMaxDictEntries = 4096;

bool IsPrintable(uint8_t byte) { return byte >= 0x20 && byte != 0x7f; }

// As Python's repr: control characters and backslashes escaped; beyond ASCII as it is, or as bytes.
std::string Quote(std::string_view text, bool is_bytes) {
  const char quote = text.find('\'') != text.npos && text.find('"') == text.npos ? '"' : '\'';
  std::string result(is_bytes ? "b" : "");
  result += quote;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (c == '\r') {
      result += "\\r";
    } else if (c == '\\' || c == quote) {
      result += {'\\', c};
    } else if (!IsPrintable(byte) || (is_bytes && byte >= 0x80)) {
      absl::StrAppendFormat(&result, "\\x%02x", byte);
    } else {
      result += c;
    }
  }
  return result += quote;
}

// The bytes of the first `count` characters of valid UTF-8.
size_t PrefixSize(std::string_view utf8, size_t count) {
  for (size_t i = 0; i < utf8.size(); ++i) {
    const bool starts = (static_cast<uint8_t>(utf8[i]) & 0xc0) != 0x80;
    if (starts && count-- == 0) return i;
  }
  return utf8.size();
}

// The shortest text that gives the number again, with Python's choice of notation.
std::string FloatText(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[64];
  const auto format = [&](std::chars_format notation) {
    const auto result = std::to_chars(buffer, buffer + sizeof buffer, value, notation);
    return std::string(buffer, result.ptr);
  };
  std::string text = format(std::chars_format::scientific);
  int exponent = 0;
  const size_t at = text.find('e') + 1;
  const size_t digits = at + (text[at] == '+');
  std::from_chars(text.data() + digits, text.data() + text.size(), exponent);
  if (exponent < -4 || exponent >= 16) return text;
  text = format(std::chars_format::fixed);
  return text.find('.') == text.npos ? text + ".0" : text;
}

}  // namespace

std::string ValueReader::TypeOf(ObjectPtr object) {
  const absl::StatusOr<Type> type = ReadType(object);
  return type.ok() ? type->name : std::string(kUnreadable);
}

bool ValueReader::IsBuiltin(ObjectPtr object, std::string_view name) {
  const absl::StatusOr<Type> type = ReadType(object);
  return type.ok() && type->builtin && type->name == name;
}

absl::StatusOr<ValueReader::Type> ValueReader::ReadType(ObjectPtr object) {
  FTP_ASSIGN_OR_RETURN(const uint64_t address,
                       memory_.ReadValue<uint64_t>(object.address() + offsets_.pyobject.ob_type));
  FTP_ASSIGN_OR_RETURN(const uint64_t flags,
                       memory_.ReadValue<uint64_t>(address + offsets_.type_object.tp_flags));
  Type type;
  type.builtin = (flags & TypeFlags::kHeapType) == 0;
  FTP_ASSIGN_OR_RETURN(const uint64_t name,
                       memory_.ReadValue<uint64_t>(address + offsets_.type_object.tp_name));
  FTP_ASSIGN_OR_RETURN(type.name, ReadTypeName(name));
  return type;
}

// A C string; a module before it ("collections.deque") is part of static types' names.
absl::StatusOr<std::string> ValueReader::ReadTypeName(uint64_t address) {
  std::string name(kMaxTypeName, '\0');
  absl::Status status = memory_.Read(address, name.data(), name.size());
  if (absl::IsDataLoss(status)) {  // its page may be the last one
    name.resize(std::min<uint64_t>(kMaxTypeName, kPageSize - address % kPageSize));
    status = memory_.Read(address, name.data(), name.size());
  }
  FTP_RETURN_IF_ERROR(status);
  const size_t end = name.find('\0');
  if (end == 0 || end == name.npos) return Torn("a type has no name");
  name.resize(end);
  return name.substr(name.rfind('.') + 1);
}

std::string ValueReader::Spell(ObjectPtr object, int nesting) {
  const absl::StatusOr<Type> type = ReadType(object);
  if (!type.ok()) return std::string(kUnreadable);
  const absl::StatusOr<std::string> text = SpellAs(*type, object, nesting);
  return text.ok() ? *text : std::string(kUnreadable);
}

absl::StatusOr<std::string> ValueReader::SpellAs(const Type& type, ObjectPtr object, int nesting) {
  if (type.builtin) {
    if (type.name == "NoneType") return std::string("None");
    if (type.name == "bool") return SpellInt(object, true);
    if (type.name == "int") return SpellInt(object, false);
    if (type.name == "float") return SpellFloat(object);
    if (type.name == "str") return SpellStr(object);
    if (type.name == "bytes") return SpellBytes(object);
    if (type.name == "list") return SpellSequence(object, false, nesting);
    if (type.name == "tuple") return SpellSequence(object, true, nesting);
    if (type.name == "dict") return SpellDict(object, nesting);
  }
  return absl::StrFormat("<%s at 0x%x>", type.name, object.address());
}

absl::StatusOr<std::string> ValueReader::SpellInt(ObjectPtr object, bool as_bool) {
  const DebugOffsets::LongObject& layout = offsets_.long_object;
  FTP_ASSIGN_OR_RETURN(const uint64_t tag,
                       memory_.ReadValue<uint64_t>(object.address() + layout.lv_tag));
  const uint64_t count = tag >> LongTag::kNonSizeBits;
  if (count > kMaxDigits) {
    return absl::StrFormat("<int of more than %d bits at 0x%x>", kMaxDigits * LongTag::kDigitBits,
                           object.address());
  }
  uint32_t digits[kMaxDigits] = {};
  FTP_RETURN_IF_ERROR(
      memory_.Read(object.address() + layout.ob_digit, digits, count * sizeof(uint32_t)));
  absl::uint128 value = 0;
  for (size_t i = count; i-- > 0;) {
    if (digits[i] >> LongTag::kDigitBits != 0) return Torn("an int has a digit too large");
    value = value << LongTag::kDigitBits | absl::uint128(digits[i]);
  }
  if (as_bool) return std::string(value != 0 ? "True" : "False");
  const bool negative = (tag & LongTag::kSignMask) == LongTag::kNegative;
  return absl::StrFormat("%s%d", negative ? "-" : "", value);
}

absl::StatusOr<std::string> ValueReader::SpellFloat(ObjectPtr object) {
  FTP_ASSIGN_OR_RETURN(const double value,
                       memory_.ReadValue<double>(object.address() + offsets_.float_object.ob_fval));
  return FloatText(value);
}

absl::StatusOr<std::string> ValueReader::SpellStr(ObjectPtr object) {
  FTP_ASSIGN_OR_RETURN(const std::string text, objects_.ReadStr(object, kMaxText + 1));
  const size_t size = PrefixSize(text, kMaxText);
  return Quote(text.substr(0, size), false) + (size < text.size() ? "..." : "");
}

absl::StatusOr<std::string> ValueReader::SpellBytes(ObjectPtr object) {
  const DebugOffsets::BytesObject& layout = offsets_.bytes_object;
  FTP_ASSIGN_OR_RETURN(const uint64_t size,
                       memory_.ReadValue<uint64_t>(object.address() + layout.ob_size));
  std::string text(std::min<uint64_t>(size, kMaxText), '\0');
  if (!text.empty()) {
    FTP_RETURN_IF_ERROR(memory_.Read(object.address() + layout.ob_sval, text.data(), text.size()));
  }
  return Quote(text, true) + (size > kMaxText ? "..." : "");
}

absl::StatusOr<std::string> ValueReader::SpellSequence(ObjectPtr object, bool tuple, int nesting) {
  const char* open = tuple ? "(" : "[";
  const char* close = tuple ? ")" : "]";
  FTP_ASSIGN_OR_RETURN(
      const uint64_t size,
      memory_.ReadValue<uint64_t>(object.address() + (tuple ? offsets_.tuple_object.ob_size
                                                            : offsets_.list_object.ob_size)));
  if (size == 0) return absl::StrCat(open, close);
  if (nesting >= kMaxNesting) return absl::StrCat(open, "...", close);
  uint64_t items = object.address() + offsets_.tuple_object.ob_item;
  if (!tuple) {
    FTP_ASSIGN_OR_RETURN(
        items, memory_.ReadValue<uint64_t>(object.address() + offsets_.list_object.ob_item));
  }
  std::vector<uint64_t> shown(std::min<uint64_t>(size, kMaxItems));
  FTP_RETURN_IF_ERROR(memory_.Read(items, shown.data(), shown.size() * kWordSize));
  std::vector<std::string> texts;
  for (const uint64_t item : shown) texts.push_back(Spell(ObjectPtr(item), nesting + 1));
  if (size > kMaxItems) texts.push_back("...");
  return absl::StrCat(open, absl::StrJoin(texts, ", "), tuple && size == 1 ? "," : "", close);
}

absl::StatusOr<std::string> ValueReader::SpellDict(ObjectPtr object, int nesting) {
  const auto entries = objects_.ReadDict(object, kMaxDictEntries);
  if (!entries.ok()) return absl::StrFormat("<dict at 0x%x>", object.address());
  if (entries->empty()) return std::string("{}");
  if (nesting >= kMaxNesting) return std::string("{...}");
  std::vector<std::string> texts;
  for (const DictEntry& entry : std::span(*entries).first(std::min(entries->size(), kMaxItems))) {
    texts.push_back(
        absl::StrCat(Spell(entry.key, nesting + 1), ": ", Spell(entry.value, nesting + 1)));
  }
  if (entries->size() > kMaxItems) texts.push_back("...");
  return absl::StrCat("{", absl::StrJoin(texts, ", "), "}");
}

}  // namespace fthreadprof
