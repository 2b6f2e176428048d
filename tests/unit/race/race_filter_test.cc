#include "race/race_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fthreadprof {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Race RaceOn(const std::string& id, const std::string& object, bool is_own = true,
            const std::string& file = "/home/me/app.py") {
  Race race;
  race.id = id;
  race.object.name = race.object.stable_name = object;
  race.is_own = is_own;
  race.places = {RacePlace{file, "f"}, RacePlace{file, "g"}};
  race.accesses[0].stack = {{"f", file, 1, ""}};
  race.accesses[1].stack = {{"g", file, 2, ""}};
  return race;
}

Suppressions Rules(const std::string& text, RuleOrigin origin = RuleOrigin::kUser) {
  const absl::StatusOr<Suppressions> rules = Suppressions::Parse(text, "race.supp", origin);
  EXPECT_TRUE(rules.ok()) << rules.status();
  return rules.value_or(Suppressions());
}

RaceReport ReportWith(std::vector<Race> races) {
  RaceReport report;
  report.races = std::move(races);
  return report;
}

std::vector<std::string> IdsOf(const RaceReport& report) {
  std::vector<std::string> ids;
  for (const Race& race : report.races) ids.push_back(race.id);
  return ids;
}

RaceFilter FilterWith(const std::string& rules) {
  RaceFilter filter;
  filter.user = Rules(rules);
  filter.today = absl::CivilDay(2026, 11, 28);
  return filter;
}

TEST(RaceFilterTest, ByItselfLeavesOutWhatIsNotTheUsersOwn) {
  RaceReport report = ReportWith({RaceOn("1", "a"), RaceOn("2", "b", false), RaceOn("3", "c")});
  RaceFilter().Apply(report);
  EXPECT_THAT(IdsOf(report), ElementsAre("1", "3"));
  EXPECT_EQ(report.left_out.not_own, 1u);
  EXPECT_EQ(report.left_out.total(), 1u);
}

TEST(RaceFilterTest, RulesCountTheirHits) {
  RaceReport report = ReportWith({RaceOn("1", "a"), RaceOn("2", "ab"), RaceOn("3", "c")});
  FilterWith("[a]\nobject=a*\nreason=ra\n[b]\nobject=ab\nreason=rb\n").Apply(report);
  EXPECT_THAT(IdsOf(report), ElementsAre("3"));
  EXPECT_EQ(report.left_out.by_rule, 2u);
  ASSERT_THAT(report.left_out.rules, SizeIs(2));
  EXPECT_EQ(report.left_out.rules[0].hits, 2u);  // the first that fits
  EXPECT_EQ(report.left_out.rules[0].source, "race.supp:1");
  EXPECT_EQ(report.left_out.rules[0].reason, "ra");
  EXPECT_EQ(report.left_out.rules[1].hits, 0u);
}

TEST(RaceFilterTest, BuiltInRulesAreToldWhenTheyWereHit) {
  RaceFilter filter = FilterWith("");
  filter.built_in =
      Rules("[x]\nobject=x\nreason=rx\n[y]\nobject=y\nreason=ry\n", RuleOrigin::kBuiltIn);
  RaceReport report = ReportWith({RaceOn("1", "x", false, "/usr/lib/python3.13/re/__init__.py"),
                                  RaceOn("2", "x", true, "/home/me/app.py")});
  filter.Apply(report);
  EXPECT_THAT(IdsOf(report), ElementsAre("2"));
  ASSERT_THAT(report.left_out.rules, SizeIs(1));
  EXPECT_EQ(report.left_out.rules[0].name, "x");
  EXPECT_EQ(report.left_out.rules[0].source, "built-in");
  EXPECT_EQ(report.left_out.by_rule, 1u);  // so what is left for --include '*' is what it shows
  EXPECT_EQ(report.left_out.not_own, 0u);
}

TEST(RaceFilterTest, AnExpiredRuleLeavesNothingOutAndIsSaid) {
  RaceFilter filter = FilterWith("[a]\nobject=a\nreason=ra\nexpires=2026-11-27\n");
  RaceReport report = ReportWith({RaceOn("1", "a")});
  filter.Apply(report);
  EXPECT_THAT(IdsOf(report), ElementsAre("1"));
  EXPECT_THAT(report.notices,
              ElementsAre(HasSubstr("race.supp:1: the suppression [a] expired on 2026-11-27")));
  EXPECT_TRUE(report.left_out.rules.at(0).expired);
  filter.today = absl::CivilDay(2026, 11, 27);
  report = ReportWith({RaceOn("1", "a")});
  filter.Apply(report);
  EXPECT_THAT(report.races, IsEmpty());
  EXPECT_THAT(report.notices, IsEmpty());
}

TEST(RaceFilterTest, TheBaselineTakesWhatIsLeft) {
  RaceFilter filter = FilterWith("[a]\nobject=a\nreason=ra\n");
  filter.baseline.emplace();
  for (const char* id : {"1", "2", "9"}) filter.baseline->Add(RaceOn(id, id));
  RaceReport report = ReportWith({RaceOn("1", "a"), RaceOn("2", "b"), RaceOn("3", "c")});
  filter.Apply(report);
  EXPECT_THAT(IdsOf(report), ElementsAre("3"));
  EXPECT_EQ(report.left_out.by_rule, 1u);
  EXPECT_EQ(report.left_out.in_baseline, 1u);
  EXPECT_THAT(report.left_out.gone, ElementsAre(testing::Field(&KnownRace::id, "9")));
}

}  // namespace
}  // namespace fthreadprof
