#include "python/thread_names.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "absl/status/status.h"
#include "base/status_macros.h"
#include "python/object_layout.h"

namespace fthreadprof {
namespace {

// Threads come and go while `_active` is read: so often it is read again before giving up.
constexpr int kAttempts = 4;
// More threads than any kernel allows a process by default.
constexpr size_t kMaxNames = 1 << 16;
constexpr size_t kMaxNameLength = 1024;
constexpr std::string_view kIdentAttribute = "_ident";
constexpr std::string_view kNameAttribute = "_name";
constexpr int kUsesOfActive = 64;
// An ident (a pthread_t) is a user-space address: two digits of an int.
constexpr size_t kIdentDigits = 2;

absl::Status TornEntry() {
  return absl::DataLossError("a thread's entry changed while it was read");
}

bool IsAscii(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (static_cast<uint8_t>(c) & 0x80) == 0; });
}

uint64_t WordAt(const std::vector<uint8_t>& bytes, size_t offset) {
  uint64_t word;
  std::memcpy(&word, bytes.data() + offset, sizeof word);
  return word;
}

size_t SlotOffset(const InlineSlot& slot) {
  return DictValues::kHeaderSize + slot.index * kWordSize;
}

// Where a struct _dictvalues needs to be read up to.
size_t SlotsEnd(const InlineSlot& a, const InlineSlot& b) {
  return std::max(SlotOffset(a), SlotOffset(b)) + kWordSize;
}

}  // namespace

// What a known Thread object is compared with.
struct ThreadNames::Check {
  const Known* known;
  std::vector<uint8_t> values;   // struct _dictvalues up to the last of the two slots
  std::vector<uint8_t> integer;  // the ident from its lv_tag to its last digit
  std::vector<uint8_t> text;     // the name from its length to its last character
};

ThreadNames::Check ThreadNames::MakeCheck(const Known& known, const DebugOffsets& offsets) {
  const DebugOffsets::LongObject& integer = offsets.long_object;
  const DebugOffsets::UnicodeObject& str = offsets.unicode_object;
  return {&known, std::vector<uint8_t>(SlotsEnd(known.ident_slot, known.name_slot)),
          std::vector<uint8_t>(integer.ob_digit - integer.lv_tag + kIdentDigits * sizeof(uint32_t)),
          std::vector<uint8_t>(str.asciiobject_size - str.length + known.name.size())};
}

bool ThreadNames::IsUnchanged(const Check& check, const DebugOffsets& offsets) {
  const Known& known = *check.known;
  const auto digits =
      WordAt(check.integer, offsets.long_object.ob_digit - offsets.long_object.lv_tag);
  const uint64_t low = digits & 0xffff'ffff;
  const uint64_t high = digits >> 32;
  const auto text = check.text.end() - static_cast<std::ptrdiff_t>(known.name.size());
  return check.values[DictValues::kValid] != 0 &&
         WordAt(check.values, SlotOffset(known.ident_slot)) == known.ident_object.address() &&
         WordAt(check.values, SlotOffset(known.name_slot)) == known.name_object.address() &&
         WordAt(check.integer, 0) >> LongTag::kNonSizeBits == kIdentDigits &&
         (high << LongTag::kDigitBits | low) == known.ident &&
         WordAt(check.text, 0) == known.name.size() &&
         std::memcmp(&*text, known.name.data(), known.name.size()) == 0;
}

absl::StatusOr<absl::flat_hash_map<uint64_t, std::string>> ThreadNames::Read(
    InterpreterPtr interpreter) {
  absl::Status last;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto names = ReadOnce(interpreter);
    if (names.ok() || names.status().code() != absl::StatusCode::kDataLoss) return names;
    last = names.status();
    active_ = ObjectPtr();  // perhaps it is not there any more
  }
  return last;
}

absl::StatusOr<absl::flat_hash_map<uint64_t, std::string>> ThreadNames::ReadOnce(
    InterpreterPtr interpreter) {
  FTP_ASSIGN_OR_RETURN(const ObjectPtr active, FindActive(interpreter));
  absl::flat_hash_map<uint64_t, std::string> names;
  if (!active) return names;
  FTP_ASSIGN_OR_RETURN(const std::vector<DictEntry> entries, objects_.ReadDict(active, kMaxNames));
  FTP_ASSIGN_OR_RETURN(const std::vector<bool> unchanged, FindUnchanged(entries));
  KnownThreads still_known;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (unchanged[i]) {
      const Known& known = known_.at(entries[i].value);
      names[known.ident] = known.name;
      continue;
    }
    known_.erase(entries[i].value);
    auto read = ReadEntry(entries[i]);
    if (read.ok()) {
      names.insert(*std::move(read));
    } else if (read.status().code() != absl::StatusCode::kDataLoss) {
      return read.status();
    }
  }
  for (const DictEntry& entry : entries) {
    if (auto node = known_.extract(entry.value)) still_known.insert(std::move(node));
  }
  known_ = std::move(still_known);  // forgets the threads that have ended
  return names;
}

absl::StatusOr<ObjectPtr> ThreadNames::FindActive(InterpreterPtr interpreter) {
  FTP_ASSIGN_OR_RETURN(const uint64_t modules,
                       memory_.ReadValue<uint64_t>(interpreter.address() +
                                                   offsets_.interpreter_state.imports_modules));
  if (active_ && interpreter == interpreter_ && ObjectPtr(modules) == modules_ &&
      uses_left_-- > 0) {
    return active_;
  }
  active_ = ObjectPtr();
  if (modules == 0) return active_;
  FTP_ASSIGN_OR_RETURN(const ObjectPtr threading, objects_.LookUp(ObjectPtr(modules), "threading"));
  if (!threading) return active_;
  FTP_ASSIGN_OR_RETURN(
      const uint64_t globals,
      memory_.ReadValue<uint64_t>(threading.address() + ModuleDictField(offsets_)));
  if (globals == 0) return active_;  // the module is being torn down
  FTP_ASSIGN_OR_RETURN(active_, objects_.LookUp(ObjectPtr(globals), "_active"));
  interpreter_ = interpreter;
  modules_ = ObjectPtr(modules);
  uses_left_ = kUsesOfActive;
  return active_;
}

absl::StatusOr<std::vector<bool>> ThreadNames::FindUnchanged(std::span<const DictEntry> entries) {
  std::vector<Check> checks;
  std::vector<size_t> entry_of;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto known = known_.find(entries[i].value);
    if (known == known_.end() || known->second.ident_object != entries[i].key) continue;
    checks.push_back(MakeCheck(known->second, offsets_));
    entry_of.push_back(i);
  }
  std::vector<MemoryPiece> pieces;
  for (size_t i = 0; i < checks.size(); ++i) {
    Check& check = checks[i];
    const uint64_t thread = entries[entry_of[i]].value.address();
    pieces.push_back(
        {thread + check.known->name_slot.values_offset, check.values.data(), check.values.size()});
    pieces.push_back({check.known->ident_object.address() + offsets_.long_object.lv_tag,
                      check.integer.data(), check.integer.size()});
    pieces.push_back({check.known->name_object.address() + offsets_.unicode_object.length,
                      check.text.data(), check.text.size()});
  }
  // What lies behind a piece that cannot be read stays zero, and so differs: it is read from
  // scratch.
  FTP_RETURN_IF_ERROR(memory_.ReadPieces(pieces).status());
  std::vector<bool> unchanged(entries.size());
  for (size_t i = 0; i < checks.size(); ++i) {
    unchanged[entry_of[i]] = IsUnchanged(checks[i], offsets_);
  }
  return unchanged;
}

absl::StatusOr<ThreadNames::Attributes> ThreadNames::ReadAttributes(
    ObjectPtr thread, std::span<const InlineSlot> slots) {
  Attributes attributes;
  if (!slots.empty()) {
    std::vector<uint8_t> values(SlotsEnd(slots[0], slots[1]));
    FTP_RETURN_IF_ERROR(
        memory_.Read(thread.address() + slots[0].values_offset, values.data(), values.size()));
    if (values[DictValues::kValid] != 0) {
      attributes.ident = ObjectPtr(WordAt(values, SlotOffset(slots[0])));
      attributes.name = ObjectPtr(WordAt(values, SlotOffset(slots[1])));
      attributes.inlined = true;
      return attributes;
    }
  }
  FTP_ASSIGN_OR_RETURN(attributes.ident, objects_.ReadAttribute(thread, kIdentAttribute));
  FTP_ASSIGN_OR_RETURN(attributes.name, objects_.ReadAttribute(thread, kNameAttribute));
  return attributes;
}

absl::StatusOr<std::pair<uint64_t, std::string>> ThreadNames::ReadEntry(const DictEntry& entry) {
  constexpr std::string_view kAttributes[] = {kIdentAttribute, kNameAttribute};
  FTP_ASSIGN_OR_RETURN(const uint64_t ident, objects_.ReadUnsigned(entry.key));
  FTP_ASSIGN_OR_RETURN(const std::vector<InlineSlot> slots,
                       objects_.FindInlineSlots(entry.value, kAttributes));
  // The object may have ended, and its memory be another Thread, since the dict was read: what has
  // the name must have the ident too, before and after the name is read.
  FTP_ASSIGN_OR_RETURN(const Attributes attributes, ReadAttributes(entry.value, slots));
  if (!attributes.ident || !attributes.name) return TornEntry();
  FTP_ASSIGN_OR_RETURN(std::string name, objects_.ReadStr(attributes.name, kMaxNameLength));
  FTP_ASSIGN_OR_RETURN(const uint64_t own_ident, objects_.ReadUnsigned(attributes.ident));
  FTP_ASSIGN_OR_RETURN(const Attributes after, ReadAttributes(entry.value, slots));
  if (own_ident != ident || after != attributes) return TornEntry();

  const bool two_digits =
      ident >> LongTag::kDigitBits != 0 && ident >> (kIdentDigits * LongTag::kDigitBits) == 0;
  if (attributes.inlined && attributes.ident == entry.key && two_digits && IsAscii(name) &&
      !name.empty() && name.size() < kMaxNameLength) {
    known_[entry.value] = {ident, attributes.ident, attributes.name, slots[0], slots[1], name};
  }
  return std::make_pair(ident, std::move(name));
}

}  // namespace fthreadprof
