#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/race/sample_report.h"

namespace fthreadprof {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(TextReport, AsPeopleReadIt) {
  ExpectRaceGolden("sample-report.txt", RenderText(SampleReport(), 66));
}

TEST(TextReport, TestsAreSummedUpAsPytestDoes) {
  EXPECT_THAT(
      RenderText(SampleReport(), 66),
      HasSubstr("= short race summary ==============================\n"
                "ERROR tests/test_app.py::test_stats - lost-update: Stats.hits (app.py:12)\n"
                "WARNING outside of tests - data-race: list at 0x10\n"));
}

TEST(TextReport, WithoutRacesOneLine) {
  EXPECT_EQ(RenderText({}, 3), "fthreadprof: 0 races, exit status 3\n");
}

TEST(TextReport, OneOfEachIsSingular) {
  RaceReport report = SampleReport();
  report.races.pop_back();
  report.left_out = {};
  EXPECT_THAT(RenderText(report, 66), EndsWith("fthreadprof: 1 race (1 error), exit status 66\n"));
}

TEST(TextReport, ThreadsStartedAtDifferentPlacesAreNamed) {
  RaceReport report = SampleReport();
  report.races[0].accesses[1].thread.created = {{"other", "/home/me/app.py", 40, ""}};
  const std::string text = RenderText(report, 66);
  EXPECT_THAT(text, HasSubstr("Thread \"worker-1\" (101) was started at:\n"));
  EXPECT_THAT(text, HasSubstr("Thread \"worker-2\" (102) was started at:\n"));
  EXPECT_THAT(text, Not(HasSubstr("Both threads")));
}

}  // namespace
}  // namespace fthreadprof
