#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/race/sample_report.h"

namespace fthreadprof {
namespace {

// tests/integration/test_race_formats.py holds the golden files of all formats against their
// schemas.
TEST(CodeQualityReport, AsGitLabReadsIt) {
  ExpectRaceGolden("sample-report.codequality.json", RenderCodeQuality(SampleReport(), 66));
}

TEST(CodeQualityReport, HostileNamesStayText) {
  ExpectRaceGolden("hostile-report.codequality.json", RenderCodeQuality(HostileReport(), 0));
}

TEST(CodeQualityReport, WithoutRacesAnEmptyArray) { EXPECT_EQ(RenderCodeQuality({}, 0), "[]\n"); }

TEST(CodeQualityReport, ARaceOfWhichNoPlaceIsKnownHasOneAllTheSame) {
  RaceReport report = SampleReport();
  for (RaceAccess& access : report.races[0].accesses) access.stack.clear();
  const auto issue = nlohmann::json::parse(RenderCodeQuality(report, 66))[0];
  EXPECT_EQ(issue["location"]["path"], "unknown");
  EXPECT_EQ(issue["location"]["lines"]["begin"], 1);
}

}  // namespace
}  // namespace fthreadprof
