#include "export/perfetto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "unit/export/decoded_totals.h"
#include "unit/export/proto_fields.h"
#include "unit/export/test_profile.h"

namespace fthreadprof {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Field numbers of perfetto_trace.proto.
constexpr uint32_t kPacket = 1;
constexpr uint32_t kTimestamp = 8;
constexpr uint32_t kTrackEvent = 11;
constexpr uint32_t kPerfSample = 66;

// "begin running at 0", "end at 3000": what tracks show, times in microseconds.
std::vector<std::string> Events(const Profile& profile) {
  std::vector<std::string> events;
  ProtoFields trace(Written(WritePerfetto, profile));
  for (const std::string& message : trace.texts[kPacket]) {
    ProtoFields packet(message);
    if (!packet.texts.contains(kTrackEvent)) continue;
    ProtoFields event(packet.Text(kTrackEvent));
    const bool begins = event.Number(9) == 1;
    events.push_back(absl::StrCat(begins ? absl::StrCat("begin ", event.Text(23)) : "end", " at ",
                                  packet.Number(kTimestamp) / 1000));
  }
  return events;
}

// One thread's samples, at 1 kHz.
Profile ProfileOf(const std::vector<std::pair<uint64_t, ThreadState>>& samples) {
  Profile profile;
  profile.sampling.mode = SamplingMode::kWall;
  const ThreadIndex thread = profile.AddThread(7, "t");
  for (const auto& [time_us, state] : samples) {
    profile.AddSample({thread, kEmptyStack, state, false, time_us});
  }
  profile.sampling.passes = 1000;
  profile.sampling.duration_s = 1;
  return profile;
}

// tests/integration/test_importers.py reads such files by Perfetto's own definition.
TEST(Perfetto, SmallProfile) {
  ExpectGolden("small.perfetto-trace", Written(WritePerfetto, SmallProfile()));
  size_t samples = 0;
  ProtoFields trace(Written(WritePerfetto, SmallProfile()));
  for (const std::string& packet : trace.texts[kPacket]) {
    samples += ProtoFields(packet).texts.contains(kPerfSample);
  }
  EXPECT_EQ(samples, 6u) << "two were asleep";
}

TEST(Perfetto, ASliceIsAStateForAsLongAsItLasts) {
  const Profile profile = ProfileOf({{0, ThreadState::kRunning},
                                     {1000, ThreadState::kRunning},
                                     {2000, ThreadState::kGilWait},
                                     {3000, ThreadState::kRunning}});
  EXPECT_THAT(Events(profile),
              ElementsAre("begin running at 0", "end at 2000", "begin gil_wait at 2000",
                          "end at 3000", "begin running at 3000", "end at 4000"));
}

TEST(Perfetto, NothingIsSaidOfTimeWithoutSamples) {
  const Profile profile = ProfileOf({{0, ThreadState::kRunning}, {11'000, ThreadState::kRunning}});
  EXPECT_THAT(Events(profile), ElementsAre("begin running at 0", "end at 1000",
                                           "begin running at 11000", "end at 12000"));
  EXPECT_THAT(Events(ProfileOf({{0, ThreadState::kRunning}, {10'000, ThreadState::kRunning}})),
              ElementsAre("begin running at 0", "end at 11000"));
}

// Perfetto tells threads apart by their ids, which are the same in all interpreters.
TEST(Perfetto, WhatRunsInASubinterpreterHasAFrameOfIt) {
  Profile profile = ProfileOf({{0, ThreadState::kRunning}});
  const ThreadIndex other = profile.AddThread(7, "t");
  profile.thread(other).interpreter = 2;
  profile.AddSample({other, kEmptyStack, ThreadState::kRunning, false, 1000});
  EXPECT_EQ(DecodeTotals("perfetto", Written(WritePerfetto, profile), 1000),
            (FunctionTotals{{"(no Python frames)", 2}, {"interpreter 2", 1}}));
}

TEST(Perfetto, EmptyProfileHasNoEvents) { EXPECT_THAT(Events(EmptyProfile()), IsEmpty()); }

}  // namespace
}  // namespace fthreadprof
