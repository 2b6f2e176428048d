// Samples of asyncio tasks stand for several passes, and are no thread's.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "export/collapsed.h"
#include "export/gecko.h"
#include "export/speedscope.h"
#include "export/summary.h"
#include "export/title.h"
#include "unit/export/test_profile.h"

namespace fthreadprof {
namespace {

using nlohmann::json;

// A thread that runs at each of four passes, and a task that was looked at twice.
Profile ProfileWithTask() {
  Profile profile = EmptyProfile();
  const ThreadIndex main = profile.AddThread(100, "MainThread");
  const ThreadIndex tasks = profile.AddThread(100, "tasks of MainThread");
  profile.thread(tasks).tasks = true;
  const StackId runs = StackOf(profile, {{"run", "/app.py", 1}});
  const StackId waits = StackOf(profile, {{"task t", "asyncio", 0}, {"wait", "/app.py", 2}});
  for (uint64_t pass = 0; pass < 4; ++pass) {
    profile.AddSample({main, runs, ThreadState::kRunning, false, pass});
    if (pass % 2 == 0) continue;
    profile.AddSample({tasks, waits, ThreadState::kAwaiting, false, pass, pass == 1 ? 1u : 3u});
  }
  profile.sampling.duration_s = 0.04;
  profile.sampling.passes = 4;
  return profile;
}

TEST(Tasks, CollapsedCountsWeights) {
  EXPECT_EQ(Written(WriteCollapsed, ProfileWithTask(), {.threads = true}),
            "tasks of MainThread (100);task t (asyncio);wait (/app.py:2) 4\n"
            "thread MainThread (100);run (/app.py:1) 4\n");
}

TEST(Tasks, GeckoHasAColumnOfWeights) {
  const json threads = json::parse(Written(WriteGecko, ProfileWithTask()))["threads"];
  ASSERT_EQ(threads.size(), 2u);
  EXPECT_TRUE(threads[0]["samples"]["weight"].is_null());
  EXPECT_EQ(threads[1]["samples"]["weight"], json::parse("[1,3]"));
  EXPECT_TRUE(threads[0]["isMainThread"]);
  EXPECT_FALSE(threads[1]["isMainThread"]);
}

TEST(Tasks, SpeedscopeSumsWeights) {
  const json profiles = json::parse(Written(WriteSpeedscope, ProfileWithTask()))["profiles"];
  ASSERT_EQ(profiles.size(), 2u);
  EXPECT_EQ(profiles[1]["name"], "tasks of MainThread (100)");
  EXPECT_EQ(profiles[1]["weights"], json::parse("[0.04]"));
}

TEST(Tasks, TheSummaryKnowsThreadsOnly) {
  std::ostringstream out;
  ASSERT_TRUE(WriteSummary(ProfileWithTask(), out).ok());
  const json summary = json::parse(out.str());
  ASSERT_EQ(summary["threads"].size(), 1u);
  EXPECT_EQ(summary["threads"][0]["samples"], 4);
}

TEST(Tasks, TheHeadingCountsThreadsOnly) {
  const std::string text = DescribeSampling(ProfileWithTask(), 8);
  EXPECT_NE(text.find("8 samples of 1 thread and of asyncio tasks"), std::string::npos) << text;
}

}  // namespace
}  // namespace fthreadprof
