#include "race/plain_text.h"

#include <cstddef>
#include <cstdint>

namespace fthreadprof {
namespace {

struct Character {
  uint32_t code_point = 0;
  size_t size = 0;  // 0: not UTF-8
};

// The first character of `text`, which is not empty; overlong forms and surrogates are not UTF-8.
Character FirstCharacter(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || size > text.size()) return {};
  uint32_t code_point = lead & (0x7fu >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xc0) != 0x80) return {};
    code_point = code_point << 6 | (byte & 0x3fu);
  }
  const bool overlong = (size == 3 && code_point < 0x800) || (size == 4 && code_point < 0x10000);
  const bool surrogate = code_point >= 0xd800 && code_point < 0xe000;
  if (overlong || surrogate || code_point > 0x10ffff) return {};
  return {code_point, size};
}

bool IsBetween(uint32_t code_point, uint32_t first, uint32_t last) {
  return code_point >= first && code_point <= last;
}

// What breaks lines (U+2028) and what turns the direction of text round (U+202A, U+2066) too.
bool IsControl(uint32_t code_point) {
  return code_point < 0x20 || IsBetween(code_point, 0x7f, 0x9f) ||
         IsBetween(code_point, 0x2028, 0x202e) || IsBetween(code_point, 0x2066, 0x2069);
}

}  // namespace

std::string PrintableText(std::string_view text) {
  std::string printable;
  printable.reserve(text.size());
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    const size_t size = character.size == 0 ? 1 : character.size;
    if (character.size == 0 || IsControl(character.code_point)) {
      printable += "\uFFFD";
    } else {
      printable += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return printable;
}

}  // namespace fthreadprof
