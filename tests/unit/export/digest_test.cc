#include "export/digest.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "export/summary.h"
#include "unit/export/test_profile.h"

namespace fthreadprof {
namespace {

constexpr unsigned kCores = 4;

// `passes` at 1 kHz: `work` holds the GIL while `waiters` threads wait in `get`.
Profile Contended(int passes, int waiters) {
  Profile profile;
  profile.target() = {.pid = 100, .python = "3.14.0"};
  const StackId work =
      StackOf(profile, {{"<module>", "/srv/app.py", 1}, {"work", "/srv/app.py", 7}});
  const StackId get = StackOf(profile, {{"Cache.get", "/srv/cache.py", 31}});
  const ThreadIndex holder = profile.AddThread(100, "MainThread");
  for (int i = 0; i < waiters; ++i) profile.AddThread(101 + i, "waiter");
  for (uint64_t pass = 0; pass < static_cast<uint64_t>(passes); ++pass) {
    profile.AddSample({holder, work, ThreadState::kRunning, true, pass * 1000});
    for (int i = 1; i <= waiters; ++i) {
      profile.AddSample(
          {static_cast<ThreadIndex>(i), get, ThreadState::kGilWait, false, pass * 1000});
    }
  }
  profile.sampling.passes = static_cast<uint64_t>(passes);
  profile.sampling.duration_s = passes / 1000.0;
  profile.totals.parallelism_passes = {0, static_cast<uint64_t>(passes)};
  profile.totals.wanting_passes.resize(static_cast<size_t>(waiters) + 2);
  profile.totals.wanting_passes.back() = static_cast<uint64_t>(passes);
  profile.totals.gil_handoffs = static_cast<uint64_t>(passes) * 5;
  profile.totals.cpu_s = profile.sampling.duration_s;
  return profile;
}

TEST(Digest, SaysWhoWaitsForWhom) {
  EXPECT_EQ(Digest(Contended(100, 2), kCores),
            "3 threads, 1.0 effective cores. 67 % of thread time waits for the GIL, 33 % runs "
            "Python.\n"
            "Mostly `Cache.get` (cache.py:31) waits while `work` (app.py:7) has the GIL (100 % of "
            "that waiting).\n"
            "The GIL changes hands 5,000 times a second.\n"
            "Without the GIL (free threading, or processes) 3.0 threads would work at a time "
            "instead of 1.0. In 0 % of the time no two want to, so on the 4 cores of this machine "
            "that is at most 3.0 times as fast (Amdahl's law), less what they then wait for each "
            "other's locks.\n");
}

TEST(Digest, PromisesNoMoreThanTheCores) {
  EXPECT_NE(Digest(Contended(100, 9), 2).find("at most 2.0 times as fast"), std::string::npos);
  EXPECT_EQ(Digest(Contended(100, 9), 1).find("Without the GIL"), std::string::npos);
}

TEST(Digest, TheSummaryHasThePairsThemselves) {
  std::ostringstream out;
  ASSERT_TRUE(WriteSummary(Contended(100, 2), out).ok());
  const nlohmann::json gil = nlohmann::json::parse(out.str())["gil"];
  EXPECT_DOUBLE_EQ(gil["wait_s"], 0.2);
  ASSERT_EQ(gil["blame"].size(), 1u);
  const nlohmann::json& blame = gil["blame"][0];
  EXPECT_DOUBLE_EQ(blame["wait_s"], 0.2);
  EXPECT_EQ(
      blame["waiter"],
      nlohmann::json::parse(R"([{"function": "Cache.get", "file": "/srv/cache.py", "line": 31}])"));
  EXPECT_EQ(blame["holder"].back()["function"], "work");
}

// Two threads store into a dict that a third one copies.
Profile ContendedDict() {
  Profile profile;
  profile.target() = {.pid = 100, .python = "3.14.0", .free_threaded = true};
  const StackId copy = StackOf(profile, {{"copy", "/srv/app.py", 7}});
  const StackId store = StackOf(profile, {{"main", "/srv/app.py", 1}, {"store", "/srv/app.py", 9}});
  const LockId lock =
      profile.InternLock({.kind = LockKind::kObject, .type = "dict", .address = 0x7f0012});
  const LockId other = profile.InternLock({.kind = LockKind::kNative, .address = 0x10});
  for (int i = 0; i < 3; ++i) profile.AddThread(100 + i, "thread");
  for (uint64_t pass = 0; pass < 10; ++pass) {
    profile.AddSample({0, copy, ThreadState::kRunning, true, pass * 1000});
    const StackId holder = pass == 0 ? kEmptyStack : copy;
    profile.AddSample({1, store, ThreadState::kLockWait, false, pass * 1000, 1, lock, holder});
    profile.AddSample({2, store, ThreadState::kLockWait, false, pass * 1000, 1, lock, holder});
  }
  profile.AddSample({0, copy, ThreadState::kNativeLock, false, 10'000, 1, other});
  profile.sampling.passes = 11;
  profile.sampling.duration_s = 0.011;
  profile.totals.parallelism_passes = {1, 10};
  return profile;
}

TEST(Digest, SaysWhichLockIsWaitedFor) {
  const std::string digest = Digest(ContendedDict(), kCores);
  EXPECT_NE(digest.find("65 % of thread time waits for a lock, 32 % runs Python, 3 % waits for a "
                        "native lock.\n"
                        "Mostly `store` (app.py:9) waits for the lock of a dict (95 % of the "
                        "waiting for locks), while `copy` (app.py:7) has it (90 % of that).\n"),
            std::string::npos)
      << digest;
}

TEST(Digest, TheSummaryHasTheLocksThemselves) {
  std::ostringstream out;
  ASSERT_TRUE(WriteSummary(ContendedDict(), out).ok());
  const nlohmann::json locks = nlohmann::json::parse(out.str())["locks"];
  ASSERT_EQ(locks.size(), 2u);
  EXPECT_EQ(locks[0]["kind"], "object");
  EXPECT_EQ(locks[0]["type"], "dict");
  EXPECT_EQ(locks[0]["address"], "0x7f0012");
  EXPECT_EQ(locks[0]["pid"], 100);
  EXPECT_DOUBLE_EQ(locks[0]["wait_s"], 0.02);
  EXPECT_EQ(locks[0]["waiters"], 2);
  ASSERT_EQ(locks[0]["stacks"].size(), 2u);
  EXPECT_EQ(locks[0]["stacks"][0]["stack"].back()["function"], "store");
  EXPECT_EQ(locks[0]["stacks"][0]["holder"].back()["function"], "copy");
  EXPECT_DOUBLE_EQ(locks[0]["stacks"][0]["wait_s"], 0.018);
  EXPECT_TRUE(locks[0]["stacks"][1]["holder"].is_null());
  EXPECT_DOUBLE_EQ(locks[0]["stacks"][1]["wait_s"], 0.002);
  EXPECT_EQ(locks[1]["kind"], "native");
  EXPECT_TRUE(locks[1]["type"].is_null());
}

TEST(Digest, SaysWhatTheInterpreterDoes) {
  Profile profile = ContendedDict();
  profile.AddSample({.thread = 0, .stack = 1, .time_us = 10'000, .stops_world = true});
  profile.totals.stopped_passes = 2;
  profile.totals.stops = 1;
  profile.totals.gc_passes = 5;
  EXPECT_NE(Digest(profile, kCores)
                .find("All threads but one are stopped in 18 % of the time, most often by "
                      "`copy` (app.py:7).\nThe garbage collector works in 45 % of the time.\n"),
            std::string::npos)
      << Digest(profile, kCores);
  std::ostringstream out;
  ASSERT_TRUE(WriteSummary(profile, out).ok());
  const nlohmann::json summary = nlohmann::json::parse(out.str());
  const nlohmann::json& stops = summary["stop_the_world"];
  EXPECT_EQ(stops["count_seen"], 1);
  EXPECT_DOUBLE_EQ(stops["total_s"], 0.002);
  ASSERT_EQ(stops["by"].size(), 2u);
  EXPECT_EQ(stops["by"][0]["requester"].back()["function"], "copy");
  EXPECT_DOUBLE_EQ(stops["by"][0]["total_s"], 0.001);
  EXPECT_TRUE(stops["by"][1]["requester"].is_null());
  EXPECT_DOUBLE_EQ(summary["gc"]["fraction"], 5 / 11.0);
}

TEST(Digest, OfNothingIsEmpty) { EXPECT_EQ(Digest(EmptyProfile(), kCores), ""); }

TEST(Digest, WaitingProgramsAreToldThatTheGilIsNotIt) {
  Profile profile = EmptyProfile();
  const StackId get = StackOf(profile, {{"get", "/a.py", 1}});
  const ThreadIndex thread = profile.AddThread(100, "MainThread");
  for (uint64_t pass = 0; pass < 100; ++pass) {
    profile.AddSample(
        {thread, get, pass < 97 ? ThreadState::kIo : ThreadState::kRunning, false, pass});
  }
  profile.totals.parallelism_passes = {97, 3};
  EXPECT_EQ(Digest(profile, kCores),
            "1 thread, 0.0 effective cores. 97 % of thread time waits for I/O, 3 % runs Python.\n"
            "Code runs in 3 % of thread time: what limits this is what its threads wait for, and "
            "neither free threading nor more processes change that; to have more I/O under way at "
            "once, use more threads, or asyncio.\n");
}

TEST(Digest, NamesAreShownAsText) {
  Profile profile = EmptyProfile();
  const StackId odd = StackOf(profile, {{"f\x1b[2J\n", "/a.py", 0}});
  const ThreadIndex thread = profile.AddThread(100, "MainThread");
  profile.AddSample({thread, odd, ThreadState::kGilWait, false, 1});
  profile.AddSample({thread, odd, ThreadState::kRunning, true, 1});
  const std::string digest = Digest(profile, kCores);
  EXPECT_NE(digest.find("`f"), std::string::npos) << digest;
  EXPECT_EQ(digest.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace fthreadprof
