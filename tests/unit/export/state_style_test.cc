#include "export/state_style.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <string>

namespace fthreadprof {
namespace {

// Relative luminance of "#rrggbb", as WCAG 2 defines it.
double Luminance(const std::string& colour) {
  constexpr std::array<double, 3> kWeights = {0.2126, 0.7152, 0.0722};
  double luminance = 0;
  for (size_t i = 0; i < kWeights.size(); ++i) {
    const double channel = std::stoi(colour.substr(1 + 2 * i, 2), nullptr, 16) / 255.0;
    luminance += kWeights[i] *
                 (channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4));
  }
  return luminance;
}

TEST(StateStyle, ColoursAreDistinctAndTextOnThemIsReadable) {
  const double text = Luminance("#111111");
  std::set<std::string> colours;
  for (size_t i = 0; i < kThreadStateCount; ++i) {
    const std::string colour = StateColour(static_cast<ThreadState>(i));
    EXPECT_GE((Luminance(colour) + 0.05) / (text + 0.05), 4.5) << colour << ": WCAG's level AA";
    colours.insert(colour);
  }
  EXPECT_EQ(colours.size(), kThreadStateCount);
}

TEST(StateStyle, EachStateIsSaidDifferently) {
  std::set<std::string> said;
  for (size_t i = 0; i < kThreadStateCount; ++i)
    said.insert(StateSays(static_cast<ThreadState>(i)));
  EXPECT_EQ(said.size(), kThreadStateCount);
  EXPECT_STREQ(StateSays(ThreadState::kLockWait), "waits for a lock");
}

}  // namespace
}  // namespace fthreadprof
