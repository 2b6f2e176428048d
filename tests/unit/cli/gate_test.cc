#include "cli/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fthreadprof {
namespace {

using testing::HasSubstr;

// A thread that waited for the GIL in one sample of four, and ran in the others.
Profile SomeProfile() {
  Profile profile;
  const ThreadIndex thread = profile.AddThread(1, "t");
  for (uint64_t pass = 0; pass < 4; ++pass) {
    const ThreadState state = pass == 0 ? ThreadState::kGilWait : ThreadState::kRunning;
    profile.AddSample({thread, kEmptyStack, state, false, pass});
  }
  profile.sampling.samples = 4;
  profile.sampling.duration_s = 1;
  profile.totals.parallelism_passes = {1, 3};
  profile.totals.cpu_s = 5;
  return profile;
}

std::string Said(const std::string& text) {
  const auto gate = Gate::Parse(text);
  if (!gate.ok()) return std::string(gate.status().message());
  const auto checked = gate->Check(SomeProfile());
  if (!checked.ok()) return std::string(checked.status().message());
  return checked->value_or("");
}

TEST(Gate, ComparesOneFigure) {
  EXPECT_EQ(Said("gil_wait>5%"),
            "gil_wait is 25.00 % of thread time: --fail-if 'gil_wait>5%' holds");
  EXPECT_EQ(Said("gil_wait>25%"), "");
  EXPECT_THAT(Said("gil_wait>=25%"), HasSubstr("holds"));
  EXPECT_THAT(Said(" gil_wait > 0.2 "), HasSubstr("holds"));
  EXPECT_EQ(Said("gil_wait<25%"), "");
  EXPECT_THAT(Said("gil_wait<=25%"), HasSubstr("holds"));
  EXPECT_THAT(Said("effective_cores<1.5"), HasSubstr("effective_cores is 0.75:"));
  EXPECT_EQ(Said("effective_cores<0.5"), "");
  EXPECT_EQ(Said("torn>1%"), "");
  EXPECT_THAT(Said("torn>=0"), HasSubstr("torn is 0.00 % of the samples"));
}

TEST(Gate, RefusesWhatItCannotCompare) {
  for (const char* text : {"", "gil_wait", "gil_wait=5%", "5%"}) {
    EXPECT_THAT(Said(text), HasSubstr("compares nothing")) << text;
  }
  // Of tasks, not of threads: a gate on that would never hold.
  for (const char* text : {">5%", "gilwait>5%", "awaiting>1%", "Torn>1%"}) {
    EXPECT_THAT(Said(text), HasSubstr("names no figure that is measured: give one of effective"))
        << text;
  }
  for (const char* text :
       {"torn>", "torn>%", "torn>x", "torn>1%%", "torn>nan", "torn>inf", "torn>>1"}) {
    EXPECT_THAT(Said(text), HasSubstr("has no number as its limit")) << text;
  }
  EXPECT_THAT(Said("effective_cores<50%"), HasSubstr("give it without %"));
  for (const char* text : {"lock_wait>5", "lock_wait>=500%", "torn>-1", "gc>100.1%"}) {
    EXPECT_THAT(Said(text), HasSubstr("is between 0 and 100%")) << text;
  }
}

TEST(Gate, WithoutSamplesThereIsNoAnswer) {
  const auto gate = Gate::Parse("gil_wait>5%");
  ASSERT_TRUE(gate.ok());
  const auto checked = gate->Check(Profile());
  EXPECT_TRUE(absl::IsFailedPrecondition(checked.status()));
  EXPECT_THAT(std::string(checked.status().message()), HasSubstr("there are no samples"));
}

}  // namespace
}  // namespace fthreadprof
