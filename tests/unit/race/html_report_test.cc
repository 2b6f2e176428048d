#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/race/sample_report.h"

namespace fthreadprof {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(HtmlReport, AsABrowserReadsIt) {
  ExpectRaceGolden("sample-report.html", RenderHtml(SampleReport(), 66));
}

// tests/integration/test_race_html.py looks at it in a browser, too.
TEST(HtmlReport, HostileNamesStayText) {
  ExpectRaceGolden("hostile-report.html", RenderHtml(HostileReport(), 0));
}

TEST(HtmlReport, WithoutRacesHasNoTable) {
  const std::string html = RenderHtml({}, 0);
  EXPECT_THAT(html, HasSubstr("fthreadprof: 0 races, exit status 0"));
  EXPECT_THAT(html, Not(HasSubstr("<table>")));
}

TEST(HtmlReport, WithoutSourceHasNoExcerpts) {
  RaceReport report = SampleReport();
  for (Race& race : report.races) {
    for (RaceAccess& access : race.accesses) {
      for (RaceFrame& frame : access.stack) frame = {frame.function, frame.file, frame.line, ""};
    }
  }
  EXPECT_THAT(RenderHtml(report, 66), Not(HasSubstr("<pre>")));
}

}  // namespace
}  // namespace fthreadprof
