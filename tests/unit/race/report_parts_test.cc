#include "race/report_parts.h"

#include <gtest/gtest.h>

#include "unit/race/sample_report.h"

namespace fthreadprof {
namespace {

TEST(PathBelow, OnlyWholeComponentsCount) {
  EXPECT_EQ(PathBelow("/home/me", "/home/me/a/b.py"), "a/b.py");
  EXPECT_EQ(PathBelow("/home/me/", "/home/me/b.py"), "b.py");
  EXPECT_EQ(PathBelow("/", "/b.py"), "b.py");
  EXPECT_EQ(PathBelow("/home/me", "/home/meander/b.py"), "/home/meander/b.py");
  EXPECT_EQ(PathBelow("/home/me", "/home/me"), "/home/me");
  EXPECT_EQ(PathBelow("", "/b.py"), "/b.py");
  EXPECT_EQ(PathBelow("/home/me", "b.py"), "b.py");
}

TEST(ShownFrame, TheInnermostOfTheProject) {
  RaceReport report;
  report.working_directory = "/home/me";
  const RaceFrame own = {"f", "/home/me/app.py", 3, ""};
  const RaceFrame package = {"g", "/home/me/.venv/lib/python3.13t/site-packages/g.py", 4, ""};
  const RaceFrame library = {"h", "/usr/lib/python3.13/random.py", 5, ""};
  const RaceFrame text = {"i", "<string>", 6, ""};
  EXPECT_EQ(*ShownFrame(report, RaceStack{library, own, package, library}), own);
  EXPECT_EQ(*ShownFrame(report, RaceStack{package, library, text}), library);
  EXPECT_EQ(*ShownFrame(report, RaceStack{text, {"j", "app.py", 1, ""}}),
            (RaceFrame{"j", "app.py", 1, ""}));
  EXPECT_EQ(ShownFrame(report, RaceStack{text, {"?", "?", 0, ""}}), nullptr);
  EXPECT_EQ(ShownFrame(report, RaceStack{}), nullptr);
}

TEST(RenderSpans, WhatStandsBetweenBackticksIsCode) {
  const auto render = [](const std::string& text) {
    return RenderSpans(
        text, [](const std::string& plain) { return "(" + plain + ")"; },
        [](const std::string& code) { return "<" + code + ">"; });
  };
  EXPECT_EQ(render("a `b` c"), "(a )<b>( c)");
  EXPECT_EQ(render("`b`"), "()<b>");
  EXPECT_EQ(render("a `b"), "(a `b)");
  EXPECT_EQ(render("``"), "()(``)");
  EXPECT_EQ(render("`a```"), "()<a>()(``)");
  EXPECT_EQ(render(""), "");
}

TEST(RunsOf, FramesThatRepeatAreOneRun) {
  const RaceFrame f = {"f", "/a.py", 1, ""}, g = {"g", "/a.py", 2, ""};
  const RaceStack stack = {f, f, f, f, f, g, f};
  const std::vector<FrameRun> runs = RunsOf(stack);
  ASSERT_EQ(runs.size(), 3);
  EXPECT_EQ(runs[0].shown, 3);
  EXPECT_EQ(runs[0].more, 2);
  EXPECT_EQ(runs[1].shown, 1);
  EXPECT_EQ(runs[2].more, 0);
}

TEST(EscapeMarkup, LeavesNothingThatXmlDoesNotKnow) {
  EXPECT_EQ(EscapeMarkup("<a b=\"c\" d='e'>&"), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
  EXPECT_EQ(EscapeMarkup("\x01\n\x7f\xff\uFFFE\uFFFF"), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(EscapeMarkup("größe"), "größe");
}

}  // namespace
}  // namespace fthreadprof
