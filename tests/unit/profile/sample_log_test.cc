#include "profile/sample_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

#include "unit/repetition.h"

namespace fthreadprof {
namespace {

std::vector<LoggedSample> ReadAll(const SampleLog& log) {
  std::vector<LoggedSample> samples;
  log.ForEach([&](const LoggedSample& sample) { samples.push_back(sample); });
  return samples;
}

// The naive model: what was appended.
void ExpectKeeps(const std::vector<LoggedSample>& samples) {
  SampleLog log;
  for (const LoggedSample& sample : samples) log.Append(sample);
  EXPECT_EQ(log.size(), samples.size());
  EXPECT_TRUE(ReadAll(log) == samples);
  EXPECT_TRUE(ReadAll(log) == samples) << "reading twice";
}

TEST(SampleLog, EmptyVisitsNothing) {
  ExpectKeeps({});
  EXPECT_EQ(SampleLog().memory_bytes(), 0u);
}

TEST(SampleLog, KeepsExtremeValues) {
  constexpr uint32_t kMax32 = std::numeric_limits<uint32_t>::max();
  constexpr uint64_t kMax64 = std::numeric_limits<uint64_t>::max();
  std::vector<LoggedSample> samples = {{0, 0, ThreadState::kRunning, true, 0},
                                       {kMax32, kMax32, ThreadState::kOther, false, 0},
                                       {0, kMax32, ThreadState::kGilWait, true, kMax64},
                                       {kMax32, 0, ThreadState::kRunning, false, kMax64}};
  samples.resize(50'000, {7, 7, ThreadState::kSleep, false, kMax64});
  ExpectKeeps(samples);
}

TEST(SampleLog, KeepsRandomHistories) {
  std::mt19937_64 random(20241);
  auto below = [&](uint64_t n) { return random() % n; };
  for (int round = 0; round < Repetitions(30); ++round) {
    const uint64_t threads = 1 + below(40), stacks = 1 + below(5000), steadiness = 1 + below(50);
    std::vector<LoggedSample> last(threads);
    std::vector<LoggedSample> samples;
    uint64_t time_us = random() >> below(64);
    for (uint64_t count = below(60'000); samples.size() < count;) {
      time_us += below(3) == 0 ? below(1000) : 0;
      LoggedSample& sample = last[below(threads)];
      sample.thread = static_cast<uint32_t>(&sample - last.data());
      sample.time_us = time_us;
      if (below(steadiness) == 0) sample.stack = static_cast<uint32_t>(below(stacks));
      if (below(steadiness) == 0) sample.state = static_cast<ThreadState>(below(kThreadStateCount));
      if (below(steadiness) == 0) sample.has_gil = below(2) == 0;
      if (below(steadiness) == 0) sample.weight = static_cast<uint32_t>(1 + below(UINT32_MAX));
      if (below(steadiness) == 0) sample.lock = static_cast<uint32_t>(below(UINT32_MAX));
      if (below(steadiness) == 0) sample.holder = static_cast<uint32_t>(below(stacks));
      if (below(steadiness) == 0) sample.stops_world = below(2) == 0;
      samples.push_back(sample);
    }
    SCOPED_TRACE(round);
    ExpectKeeps(samples);
  }
}

// 10 minutes of 16 threads at 1 kHz, each sample another stack out of 200 and one of two states:
// the worst that a real program comes near. Entropy alone makes it 8.6 bits a sample.
TEST(SampleLog, TenMinutesOfSixteenThreadsStaySmall) {
  std::mt19937 random(7);
  SampleLog log;
  size_t largest = 0;
  const auto passes = static_cast<uint64_t>(Repetitions(600'000));
  for (uint64_t pass = 0; pass < passes; ++pass) {
    const uint64_t time_us = pass * 1000 + random() % 500;
    for (uint32_t thread = 0; thread < 16; ++thread) {
      const auto stack = static_cast<uint32_t>(20 * (random() % 200) + 20);
      const auto state = random() % 2 ? ThreadState::kRunning : ThreadState::kOther;
      log.Append({thread, stack, state, false, time_us});
    }
    if (pass % 50'000 == 0) largest = std::max(largest, log.memory_bytes());
  }
  largest = std::max(largest, log.memory_bytes());
  EXPECT_EQ(log.size(), 16 * passes);
  EXPECT_LT(largest, size_t{15} << 20);
  size_t visited = 0;
  log.ForEach([&](const LoggedSample&) { ++visited; });
  EXPECT_EQ(visited, log.size());
}

TEST(SampleLog, SteadyThreadsCostNextToNothing) {
  SampleLog log;
  for (uint64_t pass = 0; pass < 60'000; ++pass) {
    const uint64_t time_us = pass * 1000 + pass % 500;
    for (uint32_t thread = 0; thread < 16; ++thread) {
      log.Append({thread, 100 + thread, ThreadState::kRunning, true, time_us});
    }
  }
  EXPECT_LT(log.memory_bytes(), size_t{1} << 20);
}

}  // namespace
}  // namespace fthreadprof
