#include "export/title.h"

#include <gtest/gtest.h>

#include "unit/export/test_profile.h"

namespace fthreadprof {
namespace {

TEST(TitleOf, NamesTheProcessUnlessTheUserDid) {
  Profile profile = SmallProfile();
  EXPECT_EQ(TitleOf(profile, {}), "process 100: python3.13t app.py");
  profile.target().command = "";
  EXPECT_EQ(TitleOf(profile, {}), "process 100: /usr/bin/python3.13t");
  profile.target().executable = "";
  EXPECT_EQ(TitleOf(profile, {}), "process 100");
  EXPECT_EQ(TitleOf(profile, {.title = "before\nthe fix"}), "before␊the fix");
}

TEST(DescribeSampling, SaysVersionBuildSamplesAndRate) {
  Profile profile = SmallProfile();
  EXPECT_EQ(DescribeSampling(profile, 12345),
            "Python 3.13.5 free-threaded, 12,345 samples of 2 threads in 0.0 s at 100 Hz, "
            "mode active");
  profile.target().free_threaded = false;
  profile.sampling.mode = SamplingMode::kWall;
  EXPECT_EQ(DescribeSampling(profile, 1),
            "Python 3.13.5 with the GIL, 1 sample of 2 threads in 0.0 s at 100 Hz, mode wall");
  EXPECT_EQ(DescribeSampling(Profile(), 0),
            "Python ? with the GIL, no samples in 0.0 s at 0 Hz, mode active");
}

TEST(GilWarning, OnlyOnAFreeThreadedBuildThatHadItOn) {
  Profile profile = SmallProfile();
  EXPECT_EQ(GilWarning(profile), std::nullopt);
  profile.totals.gil_enabled_passes = 1;
  EXPECT_EQ(GilWarning(profile),
            "The GIL was ON for 25.0% of the time in this free-threaded build.");
  profile.totals.gil_enabled_passes = 4;
  profile.target().gil_enabled = true;
  const char* on =
      "The GIL is ON in this free-threaded build: threads run Python code one at a time.";
  EXPECT_EQ(GilWarning(profile), on);
  profile.totals.gil_enabled_passes = 0;
  EXPECT_EQ(GilWarning(profile), on) << "also before the first pass";
  profile.target().free_threaded = false;
  EXPECT_EQ(GilWarning(profile), std::nullopt);
}

TEST(GilWarning, NoneForTheMomentsOfImports) {
  Profile profile = SmallProfile();
  profile.totals.parallelism_passes = {1000};
  profile.totals.gil_enabled_passes = 9;
  EXPECT_EQ(GilWarning(profile), std::nullopt);
  profile.totals.gil_enabled_passes = 10;
  EXPECT_EQ(GilWarning(profile),
            "The GIL was ON for 1.0% of the time in this free-threaded build.");
  profile.totals.gil_enabled_passes = 9;
  profile.target().gil_enabled = true;
  EXPECT_EQ(GilWarning(profile), "The GIL was ON for 0.9% of the time in this free-threaded build.")
      << "it was switched on at the end";
}

TEST(DescribeSampling, NamesEveryPythonOfTheTree) {
  Profile profile;
  profile.target() = {.pid = 1, .command = "sh"};  // it runs none itself
  profile.AddProcess({.pid = 2, .python = "3.13.5", .free_threaded = true, .gil_enabled = false});
  profile.AddProcess({.pid = 3, .python = "3.14.0"});
  profile.AddProcess({.pid = 4, .python = "3.14.0"});
  EXPECT_EQ(DescribeSampling(profile, 0),
            "Python 3.13.5 free-threaded, 3.14.0 with the GIL in 3 processes, no samples in 0.0 s "
            "at 0 Hz, mode active");
  EXPECT_EQ(GilWarning(profile), std::nullopt);
  profile.process(1).gil_enabled = true;
  EXPECT_EQ(GilWarning(profile),
            "The GIL is ON in 1 of 1 processes of free-threaded builds: in them threads run Python "
            "code one at a time.");
}

}  // namespace
}  // namespace fthreadprof
