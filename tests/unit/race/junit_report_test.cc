#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/race/sample_report.h"

namespace fthreadprof {
namespace {

using testing::HasSubstr;

TEST(JunitReport, AsCiReadsIt) {
  ExpectRaceGolden("sample-report.xml", RenderJunit(SampleReport(), 66));
}

TEST(JunitReport, HostileNamesStayText) {
  ExpectRaceGolden("hostile-report.xml", RenderJunit(HostileReport(), 0));
}

TEST(JunitReport, WithoutRacesOneCasePasses) {
  EXPECT_THAT(RenderJunit({}, 0), HasSubstr("tests=\"1\" failures=\"0\""));
  EXPECT_THAT(RenderJunit({}, 0), HasSubstr("name=\"no races\""));
}

}  // namespace
}  // namespace fthreadprof
