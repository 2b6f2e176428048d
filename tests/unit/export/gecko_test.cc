#include "export/gecko.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "unit/export/test_profile.h"

namespace fthreadprof {
namespace {

using nlohmann::json;

// tests/integration/test_importers.py loads such files into the Firefox Profiler's own code.
TEST(Gecko, SmallProfile) {
  const std::string text = Written(WriteGecko, SmallProfile());
  ExpectGolden("small.gecko.json", text);
  const json document = json::parse(text);
  ASSERT_EQ(document["threads"].size(), 2u);
  EXPECT_EQ(document["threads"][0]["samples"]["length"], 4);
  EXPECT_EQ(document["threads"][1]["samples"]["length"], 2) << "asleep in the others";
}

TEST(Gecko, WithoutLinesEqualFunctionsShareAFrame) {
  Profile profile;
  const ThreadIndex thread = profile.AddThread(7, "t");
  for (const int line : {1, 2}) {
    const StackId stack = StackOf(profile, {{"f", "/a.py", line}});
    profile.AddSample({thread, stack, ThreadState::kRunning, false, 0});
  }
  const json lines = json::parse(Written(WriteGecko, profile))["threads"][0];
  EXPECT_EQ(lines["frameTable"]["line"], json::parse("[1,2]"));
  EXPECT_EQ(lines["funcTable"]["length"], 1);
  const json plain = json::parse(Written(WriteGecko, profile, {.function_only = true}));
  EXPECT_EQ(plain["threads"][0]["frameTable"]["line"], json::parse("[null]"));
  EXPECT_EQ(plain["threads"][0]["samples"]["stack"], json::parse("[0,0]"));
}

TEST(Gecko, ACategorySaysWhatTheThreadDid) {
  Profile profile;
  const ThreadIndex thread = profile.AddThread(7, "t");
  const StackId stack = StackOf(profile, {{"f", "/a.py", 1}, {"g", "/a.py", 2}});
  for (const ThreadState state : {ThreadState::kRunning, ThreadState::kGilWait}) {
    profile.AddSample({thread, stack, state, false, 1500});
  }
  const json document = json::parse(Written(WriteGecko, profile));
  const json& shown = document["threads"][0];
  for (const size_t i : {0, 1}) {
    const size_t row = shown["samples"]["stack"][i];
    const size_t category = shown["stackTable"]["category"][row];
    EXPECT_EQ(document["meta"]["categories"][category]["name"], i == 0 ? "running" : "gil_wait");
  }
  EXPECT_EQ(shown["samples"]["time"], json::parse("[1.5,1.5]"));
}

TEST(Gecko, AThreadSaysInWhichInterpreterItRuns) {
  Profile profile;
  for (const int64_t interpreter : {0, 2}) {
    const ThreadIndex thread = profile.AddThread(7, "t");
    profile.thread(thread).interpreter = interpreter;
    profile.AddSample({thread, kEmptyStack, ThreadState::kRunning, false, 0});
  }
  const json document = json::parse(Written(WriteGecko, profile));
  EXPECT_EQ(document["threads"][0]["name"], "t");
  EXPECT_EQ(document["threads"][1]["name"], "t, interpreter 2");
}

TEST(Gecko, EmptyProfileHasNoThreads) {
  EXPECT_TRUE(json::parse(Written(WriteGecko, EmptyProfile()))["threads"].empty());
}

}  // namespace
}  // namespace fthreadprof
