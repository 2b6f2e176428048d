#include "export/pprof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/export/decoded_totals.h"
#include "unit/export/proto_fields.h"
#include "unit/export/test_profile.h"

namespace fthreadprof {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

// Field numbers of profile.proto.
constexpr uint32_t kSample = 2;
constexpr uint32_t kLocation = 4;
constexpr uint32_t kStrings = 6;
constexpr uint32_t kPeriod = 12;

ProtoFields ProfileOf(const Profile& profile, const ExportOptions& options = {}) {
  return ProtoFields(Gunzip(Written(WritePprof, profile, options)));
}

// tests/integration/test_importers.py has `go tool pprof` read such files. The golden file is not
// compressed: 'go tool pprof -raw' and 'protoc --decode_raw' show what is in it.
TEST(Pprof, SmallProfile) {
  ExpectGolden("small.pb", Gunzip(Written(WritePprof, SmallProfile())));
  ProtoFields profile = ProfileOf(SmallProfile());
  EXPECT_EQ(profile.texts[kSample].size(), 3u);
  EXPECT_EQ(profile.Number(kPeriod), 10'000'000u) << "at 100 Hz";
  EXPECT_EQ(profile.Text(kStrings), "") << "the first string of all";
}

TEST(Pprof, ASampleIsAThreadAStackAndAState) {
  Profile profile;
  const ThreadIndex thread = profile.AddThread(7, "t");
  const StackId stack = StackOf(profile, {{"f", "/a.py", 1}});
  for (const ThreadState state :
       {ThreadState::kRunning, ThreadState::kGilWait, ThreadState::kRunning}) {
    profile.AddSample({thread, stack, state, false, 0});
  }
  profile.sampling.passes = 3;
  profile.sampling.duration_s = 0.75;
  ProtoFields shown = ProfileOf(profile);
  ASSERT_EQ(shown.texts[kSample].size(), 2u);
  EXPECT_THAT(ProtoFields(shown.texts[kSample][0]).Packed(2), ElementsAre(2, 500'000'000));
  EXPECT_THAT(ProtoFields(shown.texts[kSample][1]).Packed(2), ElementsAre(1, 250'000'000));
  EXPECT_THAT(shown.texts[kStrings], Contains("gil_wait"));
}

TEST(Pprof, WithoutLinesEqualFunctionsShareALocation) {
  Profile profile;
  const ThreadIndex thread = profile.AddThread(7, "t");
  for (const int line : {1, 2}) {
    profile.AddSample(
        {thread, StackOf(profile, {{"f", "/a.py", line}}), ThreadState::kRunning, false, 0});
  }
  EXPECT_EQ(ProfileOf(profile).texts[kLocation].size(), 2u);
  EXPECT_EQ(ProfileOf(profile, {.function_only = true}).texts[kLocation].size(), 1u);
}

TEST(Pprof, GroupsAreFrames) {
  Profile profile;
  const ThreadIndex thread = profile.AddThread(7, "t");
  profile.thread(thread).interpreter = 3;
  profile.AddSample({thread, kEmptyStack, ThreadState::kRunning, false, 0});
  EXPECT_THAT(ProfileOf(profile).texts[kStrings], Contains("interpreter 3"));
  EXPECT_THAT(ProfileOf(profile).texts[kStrings], Not(Contains("thread t (7)")));
  EXPECT_THAT(ProfileOf(profile, {.threads = true}).texts[kStrings], Contains("thread t (7)"));
}

TEST(Pprof, EmptyProfileHasNoSamples) {
  EXPECT_THAT(ProfileOf(EmptyProfile()).texts[kSample], IsEmpty());
}

}  // namespace
}  // namespace fthreadprof
