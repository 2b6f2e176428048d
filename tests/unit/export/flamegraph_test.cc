#include "export/flamegraph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "export/flamegraph_assets.h"
#include "export/state_style.h"
#include "unit/export/test_profile.h"

namespace fthreadprof {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

void Remove(std::string& text, std::string_view part) {
  const size_t at = text.find(part);
  ASSERT_NE(at, std::string::npos);
  text.erase(at, part.size());
}

// A frame as drawn.
struct Box {
  uint64_t start, count, depth;
  std::string states, title, fill, text;
};

std::vector<Box> BoxesIn(const std::string& svg) {
  static const std::regex kBox(
      "<g data-s=\"(\\d+)\" data-n=\"(\\d+)\" data-d=\"(\\d+)\" data-m=\"([^\"]*)\"(?: "
      "data-t=\"[^\"]*\")?><title>([^<]*)</title>"
      "<rect [^>]*fill=\"([^\"]*)\"/><text [^>]*>([^<]*)</text></g>");
  std::vector<Box> boxes;
  for (std::sregex_iterator match(svg.begin(), svg.end(), kBox), end; match != end; ++match) {
    const std::smatch& m = *match;
    boxes.push_back(
        {std::stoull(m[1]), std::stoull(m[2]), std::stoull(m[3]), m[4], m[5], m[6], m[7]});
  }
  return boxes;
}

const Box& BoxOf(const std::vector<Box>& boxes, const std::string& beginning) {
  for (const Box& box : boxes) {
    if (box.title.starts_with(beginning)) return box;
  }
  ADD_FAILURE() << "no box " << beginning;
  return boxes.front();
}

// Profile of one thread; each stack has its number of samples.
Profile ProfileOf(const std::vector<std::pair<std::vector<Frame>, uint64_t>>& stacks) {
  Profile profile = EmptyProfile();
  const ThreadIndex thread = profile.AddThread(1, "t");
  uint64_t pass = 0;
  for (const auto& [frames, count] : stacks) {
    const StackId stack = StackOf(profile, frames);
    for (uint64_t i = 0; i < count; ++i) {
      profile.AddSample({thread, stack, ThreadState::kRunning, false, pass++});
    }
  }
  return profile;
}

TEST(Flamegraph, SmallProfile) {
  std::string svg = Written(WriteFlamegraph, SmallProfile(), {.threads = true});
  Remove(svg, kFlamegraphStyle);
  Remove(svg, kFlamegraphScript);
  ExpectGolden("small.svg", svg);
}

TEST(Flamegraph, IsSelfContained) {
  std::string svg = Written(WriteFlamegraph, SmallProfile());
  Remove(svg, "http://www.w3.org/2000/svg");
  Remove(svg, "http://www.w3.org/1999/xhtml");
  EXPECT_THAT(svg, Not(HasSubstr("://")));
  EXPECT_THAT(svg, Not(HasSubstr("@import")));
  EXPECT_EQ(svg.find("]]>"), svg.rfind("]]>")) << "the script must not end its CDATA section";
}

TEST(Flamegraph, ChildrenLieInsideTheirCallersSideBySide) {
  const Frame a = {"a", "/x.py", 1}, b = {"b", "/x.py", 2}, c = {"c", "/x.py", 3};
  const std::vector<Box> boxes =
      BoxesIn(Written(WriteFlamegraph, ProfileOf({{{a, c}, 20}, {{a, b}, 30}, {{a}, 50}})));
  ASSERT_EQ(boxes.size(), 4u);
  EXPECT_EQ(boxes[0].title, "all (100 samples, 100%)");
  EXPECT_EQ(boxes[1].title, "a (/x.py:1) (100 samples, 100%)");
  EXPECT_EQ(boxes[2].title, "b (/x.py:2) (30 samples, 30%)");
  EXPECT_EQ(boxes[3].title, "c (/x.py:3) (20 samples, 20%)");
  EXPECT_EQ(boxes[2].start, 0u);
  EXPECT_EQ(boxes[3].start, 30u);
  EXPECT_EQ(boxes[3].depth, 2u);
  EXPECT_EQ(boxes[1].text, "a (x.py:1)") << "drawn without directories";
}

TEST(Flamegraph, NarrowFramesAreNotDrawnButCount) {
  const Frame a = {"a", "/x.py", 1};
  const std::string svg = Written(
      WriteFlamegraph,
      ProfileOf({{{a, {"nine", "/x.py", 2}}, 9}, {{a, {"ten", "/x.py", 3}}, 10}, {{a}, 9981}}));
  const std::vector<Box> boxes = BoxesIn(svg);
  ASSERT_EQ(boxes.size(), 3u);
  EXPECT_EQ(boxes[1].count, 10'000u);
  EXPECT_THAT(boxes[2].title, HasSubstr("ten"));
  EXPECT_EQ(boxes[2].start, 9u) << "room is left for what is not drawn";
  EXPECT_THAT(svg, HasSubstr("Frames with less than 0.1% of the samples are not drawn."));
}

TEST(Flamegraph, DrawsAThousandLevelsAndSaysSo) {
  const std::vector<Frame> deep(5000, {"f", "/x.py", 1});
  const std::string svg = Written(WriteFlamegraph, ProfileOf({{deep, 2}}));
  EXPECT_EQ(BoxesIn(svg).size(), 1001u);
  EXPECT_THAT(svg, HasSubstr("Stacks are up to 5,000 frames deep; the outermost 1,000 levels"));
  const std::vector<Frame> thousand(1000, {"f", "/x.py", 1});
  EXPECT_THAT(Written(WriteFlamegraph, ProfileOf({{thousand, 2}})), Not(HasSubstr("frames deep")));
}

TEST(Flamegraph, ColoursFollowTheFunctionAndItsOrigin) {
  const std::vector<Box> boxes = BoxesIn(
      Written(WriteFlamegraph, ProfileOf({{{{"f", "/x.py", 1}}, 1},
                                          {{{"f", "/other.py", 200}}, 1},
                                          {{{"g", "/x.py", 1}}, 1},
                                          {{{"f", "/usr/lib/python3.13/json/x.py", 1}}, 1}})));
  const std::string mine = BoxOf(boxes, "f (/x.py").fill;
  EXPECT_EQ(BoxOf(boxes, "f (/other.py").fill, mine);
  EXPECT_NE(BoxOf(boxes, "g (/x.py").fill, mine);
  EXPECT_NE(BoxOf(boxes, "f (/usr").fill, mine);
  EXPECT_EQ(mine, "#ed712c") << "the same in every run and on every machine";
}

TEST(Flamegraph, FramesHaveTheStatesOfTheirSamples) {
  Profile profile = EmptyProfile();
  const ThreadIndex thread = profile.AddThread(1, "t");
  const StackId f = StackOf(profile, {{"f", "/x.py", 1}});
  const StackId g = StackOf(profile, {{"f", "/x.py", 1}, {"g", "/x.py", 2}});
  profile.AddSample({thread, f, ThreadState::kRunning, false, 0, 3});
  profile.AddSample({thread, g, ThreadState::kGilWait, false, 1});
  const std::string svg = Written(WriteFlamegraph, profile);
  EXPECT_EQ(BoxOf(BoxesIn(svg), "all").states, "running:3 gil_wait:1");
  EXPECT_EQ(BoxOf(BoxesIn(svg), "g (").states, "gil_wait:1");
  EXPECT_THAT(svg, HasSubstr("title=\"waits for the GIL\""));
  EXPECT_THAT(svg, Not(HasSubstr("title=\"sleeps\""))) << "the legend has what there is";
}

TEST(Flamegraph, ByStateAFunctionsStatesStandBelowIt) {
  Profile profile = EmptyProfile();
  const ThreadIndex thread = profile.AddThread(1, "t");
  const StackId f = StackOf(profile, {{"f", "/x.py", 1}});
  profile.AddSample({thread, f, ThreadState::kRunning, false, 0, 3});
  profile.AddSample({thread, f, ThreadState::kGilWait, false, 1});
  const std::vector<Box> boxes = BoxesIn(Written(WriteFlamegraph, profile, {.by_state = true}));
  ASSERT_EQ(boxes.size(), 4u);
  EXPECT_EQ(boxes[2].title, "[gil_wait] (1 sample, 25%)");
  EXPECT_EQ(boxes[2].fill, StateColour(ThreadState::kGilWait));
  EXPECT_EQ(boxes[3].title, "[running] (3 samples, 75%)");
  EXPECT_EQ(boxes[3].depth, 2u);
}

TEST(Flamegraph, SaysFirstThatTheGilIsOn) {
  Profile profile = SmallProfile();
  EXPECT_THAT(Written(WriteFlamegraph, profile), Not(HasSubstr("GIL")));
  profile.target().gil_enabled = true;
  const std::string svg = Written(WriteFlamegraph, profile);
  const size_t warning = svg.find("<text class=\"fit warning\"");
  ASSERT_NE(warning, std::string::npos);
  EXPECT_LT(warning, svg.find("Python 3.13.5 free-threaded"));
}

TEST(Flamegraph, EmptyProfileSaysSo) {
  const std::string svg = Written(WriteFlamegraph, EmptyProfile(), {.threads = true});
  const std::vector<Box> boxes = BoxesIn(svg);
  ASSERT_EQ(boxes.size(), 1u);
  EXPECT_EQ(boxes[0].text, "no samples");
  EXPECT_THAT(svg, HasSubstr("free-threaded, no samples in"));
}

}  // namespace
}  // namespace fthreadprof
