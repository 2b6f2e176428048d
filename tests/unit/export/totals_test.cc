// All outputs of one profile say the same of it: each format is read back by a decoder of its own,
// and compared. tests/integration/test_importers.py has the formats' own tools do so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "export/exporter.h"
#include "export/summary.h"
#include "export/text.h"
#include "unit/export/decoded_totals.h"
#include "unit/export/test_profile.h"

namespace fthreadprof {
namespace {

// Without the frames that only group stacks: not all formats have them.
FunctionTotals WithoutGroups(FunctionTotals totals) {
  std::erase_if(totals, [](const auto& entry) { return entry.first.starts_with("interpreter "); });
  return totals;
}

class Totals : public testing::TestWithParam<SamplingMode> {};
INSTANTIATE_TEST_SUITE_P(Modes, Totals,
                         testing::Values(SamplingMode::kActive, SamplingMode::kWall,
                                         SamplingMode::kCpu, SamplingMode::kGil));

TEST_P(Totals, AreEqualInAllOutputs) {
  const Profile profile = MixedProfile(GetParam());
  FunctionTotals expected;
  uint64_t selected = 0;
  profile.log().ForEach([&](const LoggedSample& sample) {
    ++selected;
    for (const FrameId id : profile.FramesOf(sample.stack)) {
      const Frame& frame = profile.frame(id);
      const std::string name =
          frame.function == "leaf\n\xff" ? "leaf␊\xef\xbf\xbd" : frame.function;
      ++expected[name + " (" + frame.file + ")"];
    }
    if (sample.stack == kEmptyStack) ++expected["(no Python frames)"];
  });
  ASSERT_GT(selected, 0u);
  for (const ExportFormat& format : ExportFormats()) {
    if (format.write == nullptr) continue;  // a recording: recording_test.cc
    const std::string bytes = Written(format.write, profile, {.function_only = true});
    const FunctionTotals totals =
        WithoutGroups(DecodeTotals(format.name, bytes, profile.sampling.achieved_hz()));
    EXPECT_EQ(totals, expected) << format.name;
  }
}

// docs/outputs.md#by-state.
constexpr std::string_view kStateIsALabel[] = {"pprof", "gecko", "perfetto"};

TEST_P(Totals, ByStateEachSampleHasAFrameForItsState) {
  const Profile profile = MixedProfile(GetParam());
  FunctionTotals expected;
  profile.log().ForEach(
      [&](const LoggedSample& sample) { ++expected[StateFrameText(sample.state)]; });
  for (const ExportFormat& format : ExportFormats()) {
    if (format.write == nullptr || std::ranges::count(kStateIsALabel, format.name) > 0) continue;
    const std::string bytes =
        Written(format.write, profile, {.function_only = true, .by_state = true});
    FunctionTotals totals = DecodeTotals(format.name, bytes, profile.sampling.achieved_hz());
    std::erase_if(totals, [](const auto& entry) { return !entry.first.starts_with("["); });
    EXPECT_EQ(totals, expected) << format.name;
  }
}

TEST_P(Totals, ByStateNothingChangesWhereTheStateIsALabel) {
  const Profile profile = MixedProfile(GetParam());
  for (const std::string_view name : kStateIsALabel) {
    const auto format = FindFormat(name);
    ASSERT_TRUE(format.ok());
    EXPECT_EQ(Written((*format)->write, profile, {.by_state = true}),
              Written((*format)->write, profile))
        << name;
  }
}

// The summary counts all samples, whatever the mode shows.
TEST_P(Totals, OfTheSummaryAreThoseOfAllSamples) {
  std::ostringstream out;
  ASSERT_TRUE(WriteSummary(MixedProfile(GetParam()), out).ok());
  const auto summary = nlohmann::json::parse(out.str());
  uint64_t samples = 0;
  for (const auto& thread : summary["threads"]) samples += thread["samples"].get<uint64_t>();
  EXPECT_EQ(samples, 1200u);
  EXPECT_EQ(summary["sampling"]["samples"], 1200);
}

}  // namespace
}  // namespace fthreadprof
