#include "export/speedscope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "unit/export/test_profile.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

using nlohmann::json;

// tests/integration/test_speedscope.py validates against the published schema.
TEST(Speedscope, SmallProfile) {
  const std::string text = Written(WriteSpeedscope, SmallProfile());
  ExpectGolden("small.speedscope.json", text);
  EXPECT_EQ(json::parse(text)["profiles"].size(), 2u);
}

TEST(Speedscope, SamplesInTheOrderOfTimeEqualNeighboursMerged) {
  Profile profile;
  const ThreadIndex thread = profile.AddThread(7, "t");
  const StackId f = StackOf(profile, {{"f", "/a.py", 1}});
  const StackId g = StackOf(profile, {{"f", "/a.py", 1}, {"g", "/a.py", 2}});
  uint64_t pass = 0;
  for (const StackId stack : {f, f, g, f, kEmptyStack}) {
    profile.AddSample({thread, stack, ThreadState::kRunning, false, pass++});
  }
  profile.sampling.passes = 5;
  profile.sampling.duration_s = 0.5;
  const json shown = json::parse(Written(WriteSpeedscope, profile))["profiles"][0];
  EXPECT_EQ(shown["samples"], json::parse("[[0],[0,1],[0],[]]"));
  EXPECT_EQ(shown["weights"], json::parse("[0.2,0.1,0.1,0.1]"));
  EXPECT_EQ(shown["endValue"], 0.5);
  EXPECT_EQ(shown["unit"], "seconds");
}

TEST(Speedscope, ByStateNeighboursOfTwoStatesStayApart) {
  Profile profile;
  const ThreadIndex thread = profile.AddThread(7, "t");
  const StackId f = StackOf(profile, {{"f", "/a.py", 1}});
  uint64_t pass = 0;
  for (const ThreadState state :
       {ThreadState::kNative, ThreadState::kNative, ThreadState::kRunning}) {
    profile.AddSample({thread, f, state, false, pass++});
  }
  const json document = json::parse(Written(WriteSpeedscope, profile, {.by_state = true}));
  const json& frames = document["shared"]["frames"];
  const json& shown = document["profiles"][0];
  ASSERT_EQ(shown["weights"], json::parse("[2,1]"));
  const json& samples = shown["samples"];
  EXPECT_EQ(frames[samples[0][0].get<size_t>()]["name"], "f");
  EXPECT_EQ(frames[samples[0][1].get<size_t>()], json::parse(R"({"name":"[native]"})"));
  EXPECT_EQ(frames[samples[1][1].get<size_t>()]["name"], "[running]");
}

TEST(Speedscope, WithoutLinesEqualFunctionsShareAFrame) {
  Profile profile;
  const ThreadIndex thread = profile.AddThread(7, "t");
  for (const int line : {1, 2}) {
    const StackId stack = StackOf(profile, {{"f", "/a.py", line}});
    profile.AddSample({thread, stack, ThreadState::kRunning, false, 0});
  }
  const json document = json::parse(Written(WriteSpeedscope, profile, {.function_only = true}));
  EXPECT_EQ(document["shared"]["frames"], json::parse(R"([{"name":"f","file":"/a.py"}])"));
  EXPECT_EQ(document["profiles"][0]["samples"], json::parse("[[0],[0]]"));
}

TEST(Speedscope, WithoutARateSamplesAreCounted) {
  Profile profile;
  profile.AddSample({profile.AddThread(7, "t"), kEmptyStack, ThreadState::kRunning, false, 0});
  const json shown = json::parse(Written(WriteSpeedscope, profile))["profiles"][0];
  EXPECT_EQ(shown["unit"], "none");
  EXPECT_EQ(shown["weights"], json::parse("[1]"));
}

// More samples than are collected at once, so that threads come out of several readings of the log.
TEST(Speedscope, LongRecordingKeepsThreadsApart) {
  Profile profile;
  const auto passes = static_cast<uint64_t>(Repetitions(1'000'000));
  constexpr ThreadIndex kThreads = 5;
  for (ThreadIndex thread = 0; thread < kThreads; ++thread) {
    profile.AddThread(static_cast<pid_t>(thread + 1), "t");
    StackOf(profile, {{"f" + std::to_string(thread), "/a.py", 1}});
  }
  for (uint64_t pass = 0; pass < passes; ++pass) {
    for (ThreadIndex thread = 0; thread < kThreads; ++thread) {
      if (pass % (thread + 1) != 0) continue;
      profile.AddSample({thread, thread + 1, ThreadState::kRunning, false, pass});
    }
  }
  const json document = json::parse(Written(WriteSpeedscope, profile));
  ASSERT_EQ(document["profiles"].size(), kThreads);
  for (ThreadIndex thread = 0; thread < kThreads; ++thread) {
    const json& shown = document["profiles"][thread];
    EXPECT_EQ(shown["name"], "thread t (" + std::to_string(thread + 1) + ")");
    EXPECT_EQ(shown["samples"], json::parse("[[" + std::to_string(thread) + "]]"));
    EXPECT_EQ(shown["endValue"], (passes + thread) / (thread + 1));
  }
}

TEST(Speedscope, EmptyProfileSaysSo) {
  Profile profile = EmptyProfile();
  profile.AddThread(1, "idle");
  const json document = json::parse(Written(WriteSpeedscope, profile));
  ASSERT_EQ(document["profiles"].size(), 1u);
  EXPECT_EQ(document["profiles"][0]["name"], "no samples");
  EXPECT_TRUE(document["profiles"][0]["samples"].empty());
}

}  // namespace
}  // namespace fthreadprof
