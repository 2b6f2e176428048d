#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/race/sample_report.h"

namespace fthreadprof {
namespace {

// tests/integration/test_race_report_schema.py holds the golden file against the schema.
TEST(JsonReport, AsProgramsReadIt) {
  ExpectRaceGolden("sample-report.json", RenderJson(SampleReport(), 66));
}

TEST(JsonReport, WithoutRacesIsWhole) {
  const auto json = nlohmann::json::parse(RenderJson({}, 0));
  EXPECT_EQ(json["schema"], "fthreadprof.race/1");
  EXPECT_TRUE(json["races"].is_array());
  EXPECT_TRUE(json["races"].empty());
  EXPECT_EQ(json["summary"]["exit_status"], 0);
}

TEST(JsonReport, WhatIsNotUtf8DoesNotStopIt) {
  RaceReport report = SampleReport();
  report.races[0].message = "\xff\xfe";
  EXPECT_TRUE(nlohmann::json::accept(RenderJson(report, 66)));
}

TEST(JsonReport, OptionalPartsAppearWhenThere) {
  RaceReport report = SampleReport();
  report.races[0].test = "tests/test_x.py::test_y";
  report.races[0].object.created = RaceStack{{"f", "/a.py", 3, ""}};
  const auto race = nlohmann::json::parse(RenderJson(report, 66))["races"][0];
  EXPECT_EQ(race["test"], "tests/test_x.py::test_y");
  EXPECT_EQ(race["object"]["created"][0]["line"], 3);
}

}  // namespace
}  // namespace fthreadprof
