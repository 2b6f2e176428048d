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

TEST(DescribeSampling, NamesEveryPythonOfTheTree) {
  Profile profile;
  profile.target() = {.pid = 1, .command = "sh"};  // it runs none itself
  profile.AddProcess({.pid = 2, .python = "3.13.5", .free_threaded = true, .gil_enabled = false});
  profile.AddProcess({.pid = 3, .python = "3.14.0"});
  profile.AddProcess({.pid = 4, .python = "3.14.0"});
  EXPECT_EQ(DescribeSampling(profile, 0),
            "Python 3.13.5 free-threaded, 3.14.0 with the GIL in 3 processes, no samples in 0.0 s "
            "at 0 Hz, mode active");
}

}  // namespace
}  // namespace fthreadprof
