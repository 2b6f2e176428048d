#include "export/summary.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "unit/export/test_profile.h"

namespace fthreadprof {
namespace {

using nlohmann::json;

std::string Summary(const Profile& profile) {
  std::ostringstream out;
  EXPECT_TRUE(WriteSummary(profile, out).ok());
  return out.str();
}

TEST(Summary, SmallProfile) { ExpectGolden("small.summary.json", Summary(SmallProfile())); }

TEST(Summary, StatesAreFractionsThatAddUpToOne) {
  const json threads = json::parse(Summary(SmallProfile()))["threads"];
  for (const json& thread : threads) {
    EXPECT_EQ(thread["states"].size(), kThreadStateCount - 1) << "all but awaiting, no thread's";
    double sum = 0;
    for (const auto& [name, fraction] : thread["states"].items()) sum += fraction.get<double>();
    EXPECT_DOUBLE_EQ(sum, 1);
  }
  EXPECT_EQ(threads[1]["states"]["running"], 0.5);
  EXPECT_EQ(threads[1]["samples"], 4) << "also those that the mode does not show";
}

TEST(Summary, GilOfTheTwoBuilds) {
  Profile profile = SmallProfile();
  json gil = json::parse(Summary(profile))["gil"];
  EXPECT_EQ(gil["enabled_fraction"], 0);
  EXPECT_EQ(gil["held_fraction"], 0.25);
  profile.totals.gil_enabled_passes = 3;
  EXPECT_EQ(json::parse(Summary(profile))["gil"]["enabled_fraction"], 0.75);
  profile.target().free_threaded = false;
  EXPECT_EQ(json::parse(Summary(profile))["gil"]["enabled_fraction"], 1);
}

TEST(Summary, EffectiveCoresAreNoMoreThanTheCpusUsed) {
  Profile profile = SmallProfile();
  profile.sampling.duration_s = 0.5;
  profile.totals.cpu_s = 0.25;
  EXPECT_EQ(json::parse(Summary(profile))["process"]["effective_cores"], 0.5);
  profile.totals.cpu_s = 5;
  EXPECT_EQ(json::parse(Summary(profile))["process"]["effective_cores"], 1.5);
}

TEST(Summary, NothingMeasuredIsNull) {
  Profile profile;
  profile.AddThread(5, "never sampled");
  const json summary = json::parse(Summary(profile));
  EXPECT_TRUE(summary["process"]["effective_cores"].is_null());
  EXPECT_TRUE(summary["process"]["parallelism"].empty());
  EXPECT_TRUE(summary["gil"]["enabled_fraction"].is_null());
  EXPECT_TRUE(summary["gil"]["held_fraction"].is_null());
  EXPECT_EQ(summary["sampling"]["achieved_hz"], 0);
  EXPECT_EQ(summary["threads"][0]["states"]["running"], 0);
  profile.totals.parallelism_passes = {0, 0, 0};
  EXPECT_TRUE(json::parse(Summary(profile))["process"]["parallelism"].empty());
}

TEST(Summary, StrangeNamesAndNumbersStayJson) {
  Profile profile;
  profile.target().executable = "/tmp/\xff\"\n\\";
  profile.AddThread(5, "\xED\xA0\x80 \x01");
  profile.sampling.profiler_cpu_s = std::numeric_limits<double>::quiet_NaN();
  const json summary = json::parse(Summary(profile));
  EXPECT_EQ(summary["target"]["executable"], "/tmp/\uFFFD\"\n\\");
  EXPECT_TRUE(summary["sampling"]["profiler_cpu_s"].is_null());
}

TEST(Summary, ToFile) {
  const std::string path = testing::TempDir() + "summary_test." + std::to_string(getpid());
  ASSERT_TRUE(WriteSummaryToFile(SmallProfile(), path).ok());
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  std::filesystem::remove(path);
  EXPECT_EQ(text.str(), Summary(SmallProfile()));
  EXPECT_TRUE(absl::IsNotFound(WriteSummaryToFile(SmallProfile(), path + "/none/x")));
}

}  // namespace
}  // namespace fthreadprof
