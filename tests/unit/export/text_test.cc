#include "export/text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "unit/repetition.h"

namespace fthreadprof {
namespace {

TEST(PlainText, KeepsWhatIsPrintable) {
  for (const std::string text :
       {"", "plain <&>; text", "größe", "計算する", "\U0001F40D", "\xF4\x8F\xBF\xBD"}) {
    EXPECT_EQ(PlainText(text), text);
  }
}

TEST(PlainText, ShowsControlCharacters) {
  EXPECT_EQ(PlainText("a\nb\rc\td"), "a␊b␍c␉d");
  EXPECT_EQ(PlainText(std::string("\0\x1b\x7f", 3)), "␀␛␡");
  EXPECT_EQ(PlainText("\u0085\u009f"), "\uFFFD\uFFFD");
  EXPECT_EQ(PlainText("\u2028\u2029"), "\uFFFD\uFFFD");
  EXPECT_EQ(PlainText("\xEF\xBF\xBE\xEF\xBF\xBF"), "\uFFFD\uFFFD") << "XML forbids U+FFFE, U+FFFF";
}

TEST(PlainText, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(PlainText("a\xff"
                      "b"),
            "a\uFFFD"
            "b");
  EXPECT_EQ(PlainText("\x80"), "\uFFFD") << "continuation without a start";
  EXPECT_EQ(PlainText("\xC0\xAF"), "\uFFFD\uFFFD") << "overlong /";
  EXPECT_EQ(PlainText("\xE0\x80\xAF"), "\uFFFD\uFFFD\uFFFD") << "overlong /";
  EXPECT_EQ(PlainText("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD") << "surrogate";
  EXPECT_EQ(PlainText("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD") << "past U+10FFFF";
  EXPECT_EQ(PlainText("\xE8\xA8"), "\uFFFD\uFFFD") << "cut off";
  EXPECT_EQ(PlainText("\xC3;"), "\uFFFD;") << "the next character stays";
}

TEST(PlainText, IsIdempotentOnRandomBytes) {
  std::mt19937 random(3);
  for (int round = 0; round < Repetitions(20'000); ++round) {
    std::string bytes;
    for (size_t size = random() % 12; bytes.size() < size;) {
      bytes.push_back(static_cast<char>(random() % 2 ? random() : 0x80 + random() % 0x78));
    }
    const std::string plain = PlainText(bytes);
    ASSERT_EQ(PlainText(plain), plain);
    for (const char c : plain) ASSERT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7f);
  }
}

TEST(ShortFrameText, KeepsTheLastComponentOfThePath) {
  EXPECT_EQ(ShortFrameText({"f", "/usr/lib/a b/x.py", 12}, false), "f (x.py:12)");
  EXPECT_EQ(ShortFrameText({"f", "/usr/lib/x.py", 12}, true), "f (x.py)");
  EXPECT_EQ(ShortFrameText({"a/b", "c/x\n.py", 1}, false), "a/b (x␊.py:1)");
  for (const char* whole : {"x.py", "<frozen importlib._bootstrap>", "", "/tmp/"}) {
    EXPECT_EQ(ShortFrameText({"f", whole, 1}, false), "") << whole;
  }
}

TEST(FrameText, FollowsTheContract) {
  EXPECT_EQ(FrameText({"f", "/a.py", 12}, false), "f (/a.py:12)");
  EXPECT_EQ(FrameText({"f", "/a.py", 12}, true), "f (/a.py)");
  EXPECT_EQ(FrameText({"f", "/a.py", 0}, false), "f (/a.py)");
  EXPECT_EQ(FrameText({"f", "/a.py", -3}, false), "f (/a.py)");
  EXPECT_EQ(FrameText({"f.<locals>.<lambda>", "<string>", 1}, false),
            "f.<locals>.<lambda> (<string>:1)");
  EXPECT_EQ(FrameText({"", "", 0}, false), "? (?)");
  EXPECT_EQ(FrameText({"a\nb", "c\nd", 1}, false), "a␊b (c␊d:1)");
}

TEST(ProcessText, NamesPidAndCommand) {
  EXPECT_EQ(ProcessText({.pid = 7, .command = "python a.py"}), "process 7 python a.py");
  EXPECT_EQ(ProcessText({.pid = 7, .executable = "/usr/bin/x", .command = ""}),
            "process 7 /usr/bin/x");
  EXPECT_EQ(ProcessText({.pid = 7}), "process 7");
  EXPECT_EQ(ProcessText({.pid = 7, .command = "python -c a\nb"}), "process 7 python -c a␊b");
  EXPECT_EQ(ProcessText({.pid = 7, .command = std::string(5000, 'x')}).size(),
            std::string("process 7 ").size() + 120);
}

TEST(RootTexts, StandInTheirOrder) {
  Profile profile;
  profile.target() = {.pid = 3, .command = "a"};
  const ThreadIndex plain = profile.AddThread(4, "t");
  const ThreadIndex sub = profile.AddThread(5, "t");
  profile.thread(sub).interpreter = 2;
  using Texts = std::vector<std::string>;
  EXPECT_EQ(RootTexts(profile, plain, {}), Texts());
  EXPECT_EQ(RootTexts(profile, sub, {}), Texts({"interpreter 2"}));
  EXPECT_EQ(RootTexts(profile, sub, {.processes = true, .threads = true}),
            Texts({"process 3 a", "thread t (5)", "interpreter 2"}));
}

TEST(ThreadText, FollowsTheContract) {
  ProfiledThread thread;
  thread.tid = 12;
  EXPECT_EQ(ThreadText(thread), "thread ? (12)");
  thread.name = "pool\n1";
  EXPECT_EQ(ThreadText(thread), "thread pool␊1 (12)");
}

TEST(EscapeXml, EscapesTheFive) {
  EXPECT_EQ(EscapeXml("<a b=\"c\" d='e'>&amp;"),
            "&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;amp;");
  EXPECT_EQ(EscapeXml("größe"), "größe");
}

TEST(CutToColumns, CountsWideCharactersTwice) {
  EXPECT_EQ(ColumnsOf("aö"), 2u);
  EXPECT_EQ(ColumnsOf("計算a"), 5u);
  EXPECT_EQ(CutToColumns("function", 8), "function");
  EXPECT_EQ(CutToColumns("function", 7), "funct..");
  EXPECT_EQ(CutToColumns("größenordnung", 6), "größ..");
  EXPECT_EQ(CutToColumns("計算する", 8), "計算する");
  EXPECT_EQ(CutToColumns("計算する", 7), "計算..");
  EXPECT_EQ(CutToColumns("function", 2), "");
  EXPECT_EQ(CutToColumns("function", 0), "");
}

TEST(WithThousands, Separates) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(123456), "123,456");
  EXPECT_EQ(WithThousands(18446744073709551615ull), "18,446,744,073,709,551,615");
}

}  // namespace
}  // namespace fthreadprof
