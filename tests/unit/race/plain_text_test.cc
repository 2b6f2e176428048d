#include "race/plain_text.h"

#include <gtest/gtest.h>

namespace fthreadprof {
namespace {

TEST(PrintableText, KeepsText) {
  EXPECT_EQ(PrintableText(""), "");
  EXPECT_EQ(PrintableText("größe 名前 🙂"), "größe 名前 🙂");
}

TEST(PrintableText, ReplacesControlCharacters) {
  EXPECT_EQ(PrintableText("a\nb\tc\x1b[0m\x7f"), "a\uFFFDb\uFFFDc\uFFFD[0m\uFFFD");
  EXPECT_EQ(PrintableText("\xc2\x9b"), "\uFFFD");            // CSI in one character
  EXPECT_EQ(PrintableText("\xe2\x80\xa8"), "\uFFFD");        // a line separator
  EXPECT_EQ(PrintableText("\u202e\u2066"), "\uFFFD\uFFFD");  // text runs backwards
  EXPECT_EQ(PrintableText(std::string(1, '\0')), "\uFFFD");
}

TEST(PrintableText, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(PrintableText("\xff"), "\uFFFD");
  EXPECT_EQ(PrintableText("a\xc3"), "a\uFFFD");                              // cut short
  EXPECT_EQ(PrintableText("\xc0\xaf"), "\uFFFD\uFFFD");                      // overlong
  EXPECT_EQ(PrintableText("\xe0\x80\xaf"), "\uFFFD\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(PrintableText("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");            // a surrogate
  EXPECT_EQ(PrintableText("\xf4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond Unicode
}

}  // namespace
}  // namespace fthreadprof
