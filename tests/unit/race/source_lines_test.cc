#include "race/source_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace fthreadprof {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SourceLinesTest : public testing::Test {
 protected:
  SourceLinesTest()
      : directory_(std::filesystem::temp_directory_path() /
                   ("source_lines_test." + std::to_string(getpid()))) {
    std::filesystem::create_directory(directory_);
  }
  ~SourceLinesTest() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& text) { std::ofstream(directory_ / "a.py") << text; }

  const std::filesystem::path directory_;
  SourceLines sources_{directory_};
};

TEST_F(SourceLinesTest, ALineIsWithoutIndentation) {
  Write("def f():\n    return 1  \r\n");
  EXPECT_EQ(sources_.Line("a.py", 2), "return 1");
  EXPECT_EQ(sources_.Line(directory_ / "a.py", 2), "return 1");
  EXPECT_EQ(sources_.Line("a.py", 0), "");
  EXPECT_EQ(sources_.Line("a.py", 3), "");
  EXPECT_EQ(sources_.Line("<string>", 1), "");
}

TEST_F(SourceLinesTest, AnExcerptKeepsTheShape) {
  Write("x\n\n  def f():\n\treturn 1\n\n    pass\n    pass\n\n  pass\n");
  const SourceExcerpt excerpt = sources_.Excerpt("a.py", 5);
  EXPECT_EQ(excerpt.first_line, 3);
  EXPECT_THAT(excerpt.lines, ElementsAre("def f():", "  return 1", "", "  pass", "  pass"));
}

TEST_F(SourceLinesTest, AnExcerptEndsWithTheFile) {
  Write("a\nb\n");
  EXPECT_EQ(sources_.Excerpt("a.py", 1).first_line, 1);
  EXPECT_THAT(sources_.Excerpt("a.py", 1).lines, ElementsAre("a", "b"));
  EXPECT_THAT(sources_.Excerpt("a.py", 3).lines, IsEmpty());
  EXPECT_THAT(sources_.Excerpt("none.py", 1).lines, IsEmpty());
}

TEST_F(SourceLinesTest, LinesAreShortAndPrintable) {
  Write("  \x1b[0m\xff" + std::string(1000, 'x') + "\n" + std::string(1000, ' ') + "deep\n");
  EXPECT_LT(sources_.Line("a.py", 1).size(), 250);
  EXPECT_TRUE(sources_.Line("a.py", 1).starts_with("\uFFFD[0m\uFFFDx"));
  EXPECT_EQ(sources_.Line("a.py", 2), "deep");
}

}  // namespace
}  // namespace fthreadprof
