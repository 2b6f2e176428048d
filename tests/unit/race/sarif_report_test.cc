#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/race/sample_report.h"

namespace fthreadprof {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(SarifReport, AsCodeScanningReadsIt) {
  ExpectRaceGolden("sample-report.sarif", RenderSarif(SampleReport(), 66));
}

TEST(SarifReport, HostileNamesStayText) {
  ExpectRaceGolden("hostile-report.sarif", RenderSarif(HostileReport(), 0));
}

TEST(SarifReport, WithoutRacesHasRulesAndNoResults) {
  const json run = json::parse(RenderSarif({}, 0))["runs"][0];
  EXPECT_EQ(run["results"], json::array());
  EXPECT_EQ(run["tool"]["driver"]["rules"].size(), 6);
  EXPECT_EQ(run["invocations"][0]["executionSuccessful"], true);
}

TEST(SarifReport, OurOwnFailureIsNoSuccessfulExecution) {
  const json run = json::parse(RenderSarif(SampleReport(), 125))["runs"][0];
  EXPECT_EQ(run["invocations"][0]["executionSuccessful"], false);
}

TEST(SarifReport, RulesAreFoundByTheirIndex) {
  const json run = json::parse(RenderSarif(SampleReport(), 66))["runs"][0];
  for (const json& result : run["results"]) {
    EXPECT_EQ(run["tool"]["driver"]["rules"].at(result["ruleIndex"].get<size_t>())["id"],
              result["ruleId"]);
  }
}

TEST(SarifReport, PathsAreUris) {
  RaceReport report = SampleReport();
  report.races[0].accesses[1].stack = {{"f", "/home/me/a dir/10%/größe:1.py", 3, ""}};
  report.races[1].accesses[1].stack = {{"f", "/opt/x#y.py", 3, ""}};
  const std::string sarif = RenderSarif(report, 66);
  EXPECT_THAT(sarif, HasSubstr("\"uri\": \"a%20dir/10%25/gr%C3%B6%C3%9Fe%3A1.py\""));
  EXPECT_THAT(sarif, HasSubstr("\"uri\": \"file:///opt/x%23y.py\""));
}

}  // namespace
}  // namespace fthreadprof
