#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/race/sample_report.h"

namespace fthreadprof {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(MarkdownReport, AsACommentHasIt) {
  ExpectRaceGolden("sample-report.md", RenderMarkdown(SampleReport(), 66));
}

TEST(MarkdownReport, HostileNamesStayText) {
  ExpectRaceGolden("hostile-report.md", RenderMarkdown(HostileReport(), 0));
}

TEST(MarkdownReport, WithoutRacesTwoLines) {
  EXPECT_EQ(RenderMarkdown({}, 3), "### fthreadprof: 0 races\n\nExit status 3.\n");
}

TEST(MarkdownReport, FitsIntoAComment) {
  RaceReport report = SampleReport();
  const Race race = report.races[0];
  report.races.assign(1000, race);
  const std::string text = RenderMarkdown(report, 66);
  EXPECT_LT(text.size(), 65536);
  EXPECT_THAT(text, HasSubstr("and 900 more."));
  EXPECT_THAT(text, HasSubstr(" races are left out, since a comment has room"));
  EXPECT_THAT(text, HasSubstr("Exit status 66.\n"));
}

TEST(MarkdownReport, ALongNameIsCut) {
  RaceReport report = SampleReport();
  report.races[0].object.name = std::string(1000, 'x');
  EXPECT_THAT(RenderMarkdown(report, 66), Not(HasSubstr(std::string(201, 'x'))));
}

}  // namespace
}  // namespace fthreadprof
