#include "python/line_table.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>

namespace fthreadprof {
namespace {

// enum _PyCodeLocationInfoKind, the same in 3.13 to 3.15; pycore_code.h. 0 to 9 are short forms.
constexpr int kOneLine0 = 10;  // 10, 11, 12: the line moves on by 0, 1, 2
constexpr int kOneLine2 = 12;
constexpr int kNoColumns = 13;
constexpr int kLong = 14;
constexpr int kNone = 15;

// No line of a source file is further away; bounds the sums below.
constexpr int64_t kMaxLine = std::numeric_limits<int>::max();

class EntryReader {
 public:
  explicit EntryReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  // Only an entry's first byte has its top bit set. Nothing at the end, or where an entry should
  // start but does not.
  std::optional<uint8_t> NextEntry() {
    if (at_ >= bytes_.size() || (bytes_[at_] & 0x80) == 0) return std::nullopt;
    return bytes_[at_++];
  }

  // Six bits a byte, least significant first; bit 6 says that more follow. Nothing when it is cut
  // short or does not fit an int.
  std::optional<int64_t> Varint() {
    int64_t value = 0;
    for (int shift = 0; shift <= 30; shift += 6) {
      if (at_ >= bytes_.size() || (bytes_[at_] & 0x80) != 0) return std::nullopt;
      const uint8_t byte = bytes_[at_++];
      value |= int64_t{byte & 0x3f} << shift;
      if ((byte & 0x40) == 0) return value;
    }
    return std::nullopt;
  }

  std::optional<int64_t> SignedVarint() {
    const std::optional<int64_t> value = Varint();
    if (!value) return std::nullopt;
    return (*value & 1) != 0 ? -(*value >> 1) : *value >> 1;
  }

  // Columns and end lines, which are of no use here.
  void SkipRest() {
    while (at_ < bytes_.size() && (bytes_[at_] & 0x80) == 0) ++at_;
  }

 private:
  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
};

}  // namespace

LineTable LineTable::Parse(std::span<const uint8_t> bytes, int first_line) {
  LineTable table;
  EntryReader reader(bytes);
  int64_t line = first_line;
  uint64_t end = 0;
  while (const std::optional<uint8_t> first = reader.NextEntry()) {
    const int code = *first >> 3 & 15;
    if (code == kNoColumns || code == kLong) {
      const std::optional<int64_t> delta = reader.SignedVarint();
      if (!delta) break;
      line += *delta;
    } else if (code >= kOneLine0 && code <= kOneLine2) {
      line += code - kOneLine0;
    }
    if (line > kMaxLine || line < -kMaxLine) break;
    reader.SkipRest();

    end += (*first & 7) + 1;
    if (end > std::numeric_limits<uint32_t>::max()) break;
    const int shown = code == kNone || line < 0 ? 0 : static_cast<int>(line);
    if (!table.runs_.empty() && table.runs_.back().line == shown) {
      table.runs_.back().end = static_cast<uint32_t>(end);
    } else {
      table.runs_.push_back({static_cast<uint32_t>(end), shown});
    }
  }
  table.runs_.shrink_to_fit();
  return table;
}

int LineTable::LineAt(uint32_t code_unit) const {
  const auto run =
      std::upper_bound(runs_.begin(), runs_.end(), code_unit,
                       [](uint32_t unit, const Run& candidate) { return unit < candidate.end; });
  return run == runs_.end() ? 0 : run->line;
}

}  // namespace fthreadprof
