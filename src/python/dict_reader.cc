// The part of ObjectReader that reads dicts: struct _dictkeysobject and struct _dictvalues.
#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "python/object_reader.h"

namespace fthreadprof {
namespace {

// A dict of a thousand million entries is a torn read.
constexpr int kMaxLog2Size = 30;
// Keys that may have been freed since the entries were read.
constexpr size_t kMaxUnreadableKeys = 64;
constexpr size_t kMaxKnownSlots = 4096;

size_t CodePoints(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(
      utf8.begin(), utf8.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

// As new_keys_object in Objects/dictobject.c; the shared empty keys have one slot and eight bytes.
bool IndexFits(int log2_size, int log2_index_bytes) {
  if (log2_size == 0) return log2_index_bytes == 3;
  const int log2_width = log2_size < 8 ? 0 : log2_size < 16 ? 1 : 2;
  return log2_size <= kMaxLog2Size && log2_index_bytes == log2_size + log2_width;
}

}  // namespace

absl::StatusOr<ObjectReader::Keys> ObjectReader::ParseKeys(uint64_t address,
                                                           std::span<const uint8_t> header) {
  const int log2_size = header[DictKeys::kLog2Size];
  const int log2_index_bytes = header[DictKeys::kLog2IndexBytes];
  const uint8_t kind = header[DictKeys::kKind];
  uint64_t count;
  std::memcpy(&count, header.data() + DictKeys::kEntryCount, sizeof count);
  if (kind > DictKeys::kSplit || !IndexFits(log2_size, log2_index_bytes) ||
      count > uint64_t{1} << log2_size) {
    return Torn("a dict's keys do not hold together");
  }
  Keys keys;
  keys.entries = address + DictKeys::kHeaderSize + (uint64_t{1} << log2_index_bytes);
  keys.general = kind == DictKeys::kGeneral;
  keys.split = kind == DictKeys::kSplit;
  keys.entry_size = keys.general ? DictKeys::kGeneralEntrySize : DictKeys::kUnicodeEntrySize;
  keys.count = count;
  return keys;
}

absl::StatusOr<std::vector<DictEntry>> ObjectReader::ReadDict(ObjectPtr dict, size_t max_entries) {
  struct Root {
    uint64_t type, keys, values;
    bool operator==(const Root&) const = default;
  };
  auto pieces_of = [&](Root& root) {
    return std::array<MemoryPiece, 3>{
        MemoryPiece{dict.address() + offsets_.pyobject.ob_type, &root.type, kWordSize},
        MemoryPiece{dict.address() + offsets_.dict_object.ma_keys, &root.keys, kWordSize},
        MemoryPiece{dict.address() + offsets_.dict_object.ma_values, &root.values, kWordSize}};
  };
  Root root{};
  FTP_ASSIGN_OR_RETURN(const size_t read, memory_.ReadPieces(pieces_of(root)));
  if (read < 3) return Torn("a dict cannot be read");
  FTP_RETURN_IF_ERROR(CheckType(root.type, TypeFlags::kDictSubclass, "dict"));

  uint8_t header[DictKeys::kHeaderSize];
  FTP_RETURN_IF_ERROR(memory_.Read(root.keys, header, sizeof header));
  FTP_ASSIGN_OR_RETURN(const Keys keys, ParseKeys(root.keys, header));
  if (keys.count > max_entries) return Torn(absl::StrCat("a dict of ", keys.count, " entries"));
  if (keys.split != (root.values != 0)) return Torn("a dict is neither split nor combined");
  FTP_ASSIGN_OR_RETURN(std::vector<DictEntry> entries,
                       keys.split ? ReadSplit(keys, root.values) : ReadCombined(keys));
  std::erase_if(entries, [](const DictEntry& entry) { return !entry.key || !entry.value; });

  // A dict that grew meanwhile has freed the keys that were read: reject what may be anything now.
  Root after{};
  FTP_ASSIGN_OR_RETURN(const size_t reread, memory_.ReadPieces(pieces_of(after)));
  if (reread < 3 || after != root) return Torn("a dict changed while it was read");
  return entries;
}

// Entries as they lie there, deleted ones with a null value; of split keys all values are null.
absl::StatusOr<std::vector<DictEntry>> ObjectReader::ReadCombined(const Keys& keys) {
  std::vector<uint8_t> bytes(keys.count * keys.entry_size);
  if (!bytes.empty()) {
    FTP_RETURN_IF_ERROR(memory_.Read(keys.entries, bytes.data(), bytes.size()));
  }
  std::vector<DictEntry> entries(keys.count);
  for (size_t i = 0; i < keys.count; ++i) {
    uint64_t words[2];  // key, value
    const uint64_t hash_size = keys.general ? kWordSize : 0;
    std::memcpy(words, bytes.data() + i * keys.entry_size + hash_size, sizeof words);
    entries[i] = {ObjectPtr(words[0]), ObjectPtr(keys.split ? 0 : words[1])};
  }
  return entries;
}

absl::StatusOr<std::vector<DictEntry>> ObjectReader::ReadSplit(const Keys& keys, uint64_t values) {
  FTP_ASSIGN_OR_RETURN(const std::vector<DictEntry> shared, ReadCombined(keys));
  uint8_t header[DictValues::kHeaderSize];
  FTP_RETURN_IF_ERROR(memory_.Read(values, header, sizeof header));
  const size_t capacity = header[DictValues::kCapacity];
  const size_t size = header[DictValues::kSize];
  if (size > capacity || size > shared.size()) return Torn("a dict's values do not hold together");
  // The array of values and, behind it, a byte a value: the order in which they were set.
  std::vector<uint8_t> bytes(capacity * kWordSize + size);
  if (!bytes.empty()) {
    FTP_RETURN_IF_ERROR(memory_.Read(values + DictValues::kHeaderSize, bytes.data(), bytes.size()));
  }
  std::vector<DictEntry> entries;
  for (size_t i = 0; i < size; ++i) {
    const size_t index = bytes[capacity * kWordSize + i];
    if (index >= capacity || index >= shared.size()) return Torn("a dict's order is wrong");
    uint64_t value;
    std::memcpy(&value, bytes.data() + index * kWordSize, sizeof value);
    entries.push_back({shared[index].key, ObjectPtr(value)});
  }
  return entries;
}

absl::StatusOr<ObjectPtr> ObjectReader::LookUp(ObjectPtr dict, std::string_view key) {
  FTP_ASSIGN_OR_RETURN(const std::vector<DictEntry> entries, ReadDict(dict));
  FTP_ASSIGN_OR_RETURN(const std::optional<size_t> index, FindKey(entries, key));
  return index ? entries[*index].value : ObjectPtr();
}

// Shared keys only ever grow: a key that is still where it was needs no search. Empty when a name
// is not among the keys.
absl::StatusOr<std::vector<size_t>> ObjectReader::FindSharedKeys(
    uint64_t keys_address, std::span<const std::string_view> names) {
  std::vector<const KnownSlot*> known;
  for (const std::string_view name : names) {
    const auto slot = known_slots_.find(std::pair(keys_address, std::string(name)));
    known.push_back(slot == known_slots_.end() ? nullptr : &slot->second);
  }
  uint8_t header[DictKeys::kHeaderSize];
  std::vector<uint64_t> found(names.size());
  std::vector<MemoryPiece> pieces = {{keys_address, header, sizeof header}};
  for (size_t i = 0; i < names.size(); ++i) {
    if (known[i] != nullptr) pieces.push_back({known[i]->key_address, &found[i], kWordSize});
  }
  FTP_ASSIGN_OR_RETURN(const size_t read, memory_.ReadPieces(pieces));
  if (read == 0) return Torn("a type's shared keys cannot be read");
  FTP_ASSIGN_OR_RETURN(const Keys keys, ParseKeys(keys_address, header));
  if (!keys.split) return Torn("a type's shared keys are no shared keys");

  std::vector<size_t> indexes;
  for (size_t i = 0; i < names.size(); ++i) {
    const KnownSlot* slot = known[i];
    if (slot == nullptr || slot->index >= keys.count || slot->key != found[i]) break;
    indexes.push_back(slot->index);
  }
  if (indexes.size() == names.size()) return indexes;
  return SearchSharedKeys(keys_address, keys, names);
}

absl::StatusOr<std::vector<size_t>> ObjectReader::SearchSharedKeys(
    uint64_t keys_address, const Keys& keys, std::span<const std::string_view> names) {
  FTP_ASSIGN_OR_RETURN(const std::vector<DictEntry> entries, ReadCombined(keys));
  std::vector<size_t> indexes;
  for (const std::string_view name : names) {
    FTP_ASSIGN_OR_RETURN(const std::optional<size_t> index, FindKey(entries, name));
    if (!index) return std::vector<size_t>();
    indexes.push_back(*index);
    if (known_slots_.size() >= kMaxKnownSlots) known_slots_.clear();
    known_slots_[std::pair(keys_address, std::string(name))] = {
        keys.entries + *index * keys.entry_size, entries[*index].key.address(), *index};
  }
  return indexes;
}

// All keys' lengths are read in one go; only those that have the right one are read as str.
absl::StatusOr<std::optional<size_t>> ObjectReader::FindKey(std::span<const DictEntry> entries,
                                                            std::string_view key) {
  constexpr uint64_t kUnread = ~uint64_t{0};
  std::vector<uint64_t> lengths(entries.size(), kUnread);
  std::vector<MemoryPiece> pieces(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    pieces[i] = {entries[i].key.address() + offsets_.unicode_object.length, &lengths[i], kWordSize};
  }
  size_t unreadable = 0;
  for (size_t done = 0; done < pieces.size(); ++done) {
    FTP_ASSIGN_OR_RETURN(const size_t read, memory_.ReadPieces(std::span(pieces).subspan(done)));
    done += read;
    // The key there cannot be read: step over it.
    if (done < pieces.size() && ++unreadable > kMaxUnreadableKeys) return Torn("a dict of no keys");
  }
  const size_t length = CodePoints(key);
  for (size_t i = 0; i < entries.size(); ++i) {
    if (lengths[i] != length) continue;
    const absl::StatusOr<std::string> text = ReadStr(entries[i].key, length);
    if (text.ok() && *text == key) return i;
    // Not every key is a str; only an error that is not about this key ends the search.
    if (!text.ok() && text.status().code() != absl::StatusCode::kDataLoss) return text.status();
  }
  return std::nullopt;
}

}  // namespace fthreadprof
