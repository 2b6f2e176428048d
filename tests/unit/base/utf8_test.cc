#include "base/utf8.h"

#include "gtest/gtest.h"

namespace fthreadprof {
namespace {

// The least and the greatest code point of each length.
TEST(AppendUtf8, TakesOneToFourBytes) {
  std::string text;
  for (const char32_t point : {0x00, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF}) {
    AppendUtf8(text, point);
  }
  EXPECT_EQ(text, std::string("\0\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80"
                              "\xF4\x8F\xBF\xBF",
                              20));
}

}  // namespace
}  // namespace fthreadprof
