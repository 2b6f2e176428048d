#include "python/exception_table.h"

#include <algorithm>
#include <optional>

namespace fthreadprof {
namespace {

// Six bits a byte, most significant first; bit 6 says that more follow, bit 7 that an entry begins.
// Nothing when it is cut short or too long.
std::optional<uint32_t> TakeExceptionVarint(std::span<const uint8_t> bytes, size_t& at) {
  uint32_t value = 0;
  for (int taken = 0; taken < 5 && at < bytes.size(); ++taken) {
    const uint8_t byte = bytes[at++];
    value = value << 6 | (byte & 0x3f);
    if ((byte & 0x40) == 0) return value;
  }
  return std::nullopt;
}

}  // namespace

ExceptionTable ExceptionTable::Parse(std::span<const uint8_t> bytes) {
  ExceptionTable table;
  for (size_t at = 0; at < bytes.size();) {
    if ((bytes[at] & 0x80) == 0) break;
    const auto begin = TakeExceptionVarint(bytes, at);
    const auto size = TakeExceptionVarint(bytes, at);
    const auto target = TakeExceptionVarint(bytes, at);
    const auto depth = TakeExceptionVarint(bytes, at);  // << 1 | whether the instruction is pushed
    if (!begin || !size || !target || !depth) break;
    if (!table.ranges_.empty() && *begin < table.ranges_.back().end) break;
    table.ranges_.push_back({*begin, *begin + *size, *depth >> 1});
  }
  return table;
}

size_t ExceptionTable::DepthAt(uint32_t code_unit) const {
  const auto range = std::upper_bound(ranges_.begin(), ranges_.end(), code_unit,
                                      [](uint32_t at, const Range& r) { return at < r.end; });
  return range != ranges_.end() && range->begin <= code_unit ? range->depth : 0;
}

}  // namespace fthreadprof
