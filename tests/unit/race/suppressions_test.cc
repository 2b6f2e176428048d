#include "race/suppressions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/race/sample_report.h"

namespace fthreadprof {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

constexpr char kThreadPath[] = "/usr/lib/python3.13/threading.py";
constexpr char kTwoRules[] = R"(# What we live with.
; this, too, is a comment

[hits may be lost]
kind = lost-update
  object=Stats.hits
function = Stats.*
file = app.py
reason = Only shown on the status page; see #12 = twelve.
expires = 2027-03-31

[anything in vendor]
file = vendor
reason = Not ours.
)";

std::vector<SuppressionRule> Read(const std::string& text, RuleOrigin origin = RuleOrigin::kUser) {
  const absl::StatusOr<Suppressions> parsed = Suppressions::Parse(text, "race.supp", origin);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() ? parsed->rules() : std::vector<SuppressionRule>();
}

std::string ErrorOf(const std::string& text) {
  return std::string(Suppressions::Parse(text, "race.supp", RuleOrigin::kUser).status().message());
}

// Between `read` and `write`, each a stack.
Race RaceBetween(const RaceStack& read, const RaceStack& write) {
  Race race;
  race.kind = RaceKind::kDataRace;
  race.object.name = "counts['a']";
  race.object.stable_name = "counts";
  race.accesses[0].stack = read;
  race.accesses[1].stack = write;
  return race;
}

const RaceFrame kMain = {"main", "/home/me/main.py", 1, ""};
const RaceFrame kReader = {"Stats.read", "/home/me/app.py", 2, ""};
const RaceFrame kWriter = {"Stats.write", "/home/me/app.py", 3, ""};
const RaceFrame kLibraryFrame = {"Thread.run", kThreadPath, 4, ""};

bool Matches(const std::string& criteria, const Race& race, RuleOrigin origin = RuleOrigin::kUser) {
  return Read("[r]\nreason = x\n" + criteria, origin).at(0).Matches(race, OwnCode());
}

TEST(SuppressionsParser, ReadsRules) {
  const std::vector<SuppressionRule> rules = Read(kTwoRules);
  ASSERT_THAT(rules, SizeIs(2));
  EXPECT_EQ(rules[0].name, "hits may be lost");
  EXPECT_EQ(rules[0].source, "race.supp:4");
  EXPECT_EQ(rules[0].kind, RaceKind::kLostUpdate);
  EXPECT_EQ(rules[0].object, "Stats.hits");
  EXPECT_EQ(rules[0].function, "Stats.*");
  EXPECT_EQ(rules[0].file, "app.py");
  EXPECT_EQ(rules[0].reason, "Only shown on the status page; see #12 = twelve.");
  EXPECT_EQ(rules[0].expires, absl::CivilDay(2027, 3, 31));
  EXPECT_EQ(rules[1].source, "race.supp:12");
  EXPECT_EQ(rules[1].kind, std::nullopt);
  EXPECT_EQ(rules[1].expires, std::nullopt);
}

TEST(SuppressionsParser, WindowsLineEndsAndAByteOrderMarkAreFine) {
  const std::string text = "\xef\xbb\xbf[r]\r\nobject = x\r\nreason = y\r\n";
  ASSERT_THAT(Read(text), SizeIs(1));
  EXPECT_EQ(Read(text)[0].object, "x");
  EXPECT_THAT(Read(""), SizeIs(0));
  EXPECT_THAT(Read("# nothing"), SizeIs(0));
}

TEST(SuppressionsParser, MistakesAreNamedWithTheirLine) {
  const struct {
    const char* text;
    const char* start;
    const char* about;
  } mistakes[] = {
      {"[a]\nobject = x\n\n[b]\nobject = y\nreason = z\n", "race.supp:1: ", "\"a\" has no reason"},
      {"\n[a]\nobject = x\n", "race.supp:2: ", "has no reason"},
      {"[a]\nreason = x\n", "race.supp:1: ", "would hide every race"},
      {"[a]\nreason =\n", "race.supp:2: ", "\"reason\" has no value"},
      {"[a]\nkind = race\n", "race.supp:2: ", "\"race\" is no kind of race; give lost-update"},
      {"[a]\nexpires = tomorrow\n", "race.supp:2: ", "\"tomorrow\" is no date"},
      {"[a]\nexpires = 2027-02-30\n", "race.supp:2: ", "\"2027-02-30\" is no date"},
      {"[a]\nexpires = 2027-3-1\n", "race.supp:2: ", "\"2027-3-1\" is no date"},
      {"[a]\nfunc = f\n", "race.supp:2: ", "a suppression has no \"func\"; it has kind, object"},
      {"[a]\nobject = x\nobject = y\n", "race.supp:3: ", "\"object\" is given twice"},
      {"[a]\nobject = x\nreason = y\n[a]\n", "race.supp:4: ", "\"a\" in line 1 already"},
      {"object = x\n", "race.supp:1: ", "\"object\" belongs to no suppression"},
      {"[a\n", "race.supp:1: ", "ends with ]"},
      {"[ ]\n", "race.supp:1: ", "needs a name"},
      {"[a]\nnonsense\n", "race.supp:2: ", "\"nonsense\" is neither [a name] nor key = value"},
      {"race:foo\n", "race.supp:1: ", "is neither"},
  };
  for (const auto& [text, start, about] : mistakes) {
    EXPECT_THAT(ErrorOf(text), StartsWith(start)) << text;
    EXPECT_THAT(ErrorOf(text), HasSubstr(about)) << text;
  }
}

TEST(SuppressionsParser, ForeignTextIsShortAndPrintableInMessages) {
  const std::string message = ErrorOf("[a]\n\x1b[31m\xff" + std::string(1000, 'x'));
  EXPECT_THAT(message, SizeIs(testing::Lt(200u)));
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
}

TEST(SuppressionRuleTest, AllThatIsGivenMustFit) {
  const Race race = RaceBetween({kMain, kReader}, {kMain, kWriter});
  EXPECT_TRUE(Matches("kind = data-race\n", race));
  EXPECT_FALSE(Matches("kind = ordering\n", race));
  EXPECT_TRUE(Matches("object = counts\n", race));
  EXPECT_TRUE(Matches("object = counts['a']\n", race));
  EXPECT_FALSE(Matches("object = counts['b']\n", race));
  EXPECT_FALSE(Matches("object = count\n", race));
  EXPECT_TRUE(Matches("function = Stats.write\n", race));
  EXPECT_TRUE(Matches("function = Stats.read\n", race));
  EXPECT_FALSE(Matches("function = write\n", race));
  EXPECT_TRUE(Matches("file = app.py\n", race));
  EXPECT_FALSE(Matches("file = main.py\n", race));
  EXPECT_TRUE(Matches("kind = data-race\nobject = c*\nfunction = *.read\nfile = me/*\n", race));
  EXPECT_FALSE(Matches("kind = unsafe\nobject = c*\nfunction = *.read\nfile = me/*\n", race));
  EXPECT_FALSE(Matches("kind = data-race\nobject = d\nfunction = *.read\nfile = me/*\n", race));
}

TEST(SuppressionRuleTest, FunctionAndFileFitOneFrame) {
  const Race race =
      RaceBetween({{"read", "/home/me/a.py", 1, ""}}, {{"write", "/home/me/b.py", 2, ""}});
  EXPECT_TRUE(Matches("function = read\nfile = a.py\n", race));
  EXPECT_FALSE(Matches("function = read\nfile = b.py\n", race));
}

// Counter.update in the library, called by the user's function: that is whose access it is.
TEST(SuppressionRuleTest, LibraryCodeIsItsCallers) {
  const RaceFrame update = {"Counter.update", "/usr/lib/python3.13/collections/__init__.py", 9, ""};
  const Race race = RaceBetween({kMain, kReader, update}, {kMain, kWriter});
  EXPECT_TRUE(Matches("function = Counter.update\n", race));
  EXPECT_TRUE(Matches("function = Stats.read\n", race));
  EXPECT_FALSE(Matches("function = main\n", race));
  EXPECT_FALSE(Matches("file = main.py\n", race));
}

TEST(SuppressionRuleTest, WithoutFramesOnlyKindAndObjectCanFit) {
  const Race race = RaceBetween({}, {});
  EXPECT_TRUE(Matches("object = counts\n", race));
  EXPECT_FALSE(Matches("object = counts\nfunction = *\n", race));
  EXPECT_FALSE(Matches("object = counts\n", race, RuleOrigin::kBuiltIn));
}

TEST(SuppressionRuleTest, BuiltInRulesHideNothingOfTheUsers) {
  const RaceFrame inner = {"_compile", "/usr/lib/python3.13/re/__init__.py", 9, ""};
  const std::string rule = "function = _compile\nobject = counts\nfile = re/__init__.py\n";
  EXPECT_TRUE(Matches(rule, RaceBetween({kReader, inner}, {inner}), RuleOrigin::kBuiltIn));
  EXPECT_TRUE(Matches(rule, RaceBetween({kLibraryFrame}, {inner}), RuleOrigin::kBuiltIn));
  EXPECT_FALSE(Matches(rule, RaceBetween({kReader}, {inner}), RuleOrigin::kBuiltIn));
  // Only the innermost frame counts.
  EXPECT_FALSE(
      Matches(rule, RaceBetween({inner, kLibraryFrame}, {kLibraryFrame}), RuleOrigin::kBuiltIn));
  // A module of the user's that is called the same.
  const RaceFrame mine = {"_compile", "/home/me/re/__init__.py", 9, ""};
  EXPECT_FALSE(Matches(rule, RaceBetween({mine}, {mine}), RuleOrigin::kBuiltIn));
  EXPECT_TRUE(Matches(rule, RaceBetween({mine}, {mine})));
}

TEST(SuppressionRuleTest, ExpiresWhenItsLastDayIsOver) {
  const SuppressionRule rule = Read("[r]\nobject=x\nreason=y\nexpires = 2027-03-31\n").at(0);
  EXPECT_FALSE(rule.HasExpired(absl::CivilDay(2026, 12, 31)));
  EXPECT_FALSE(rule.HasExpired(absl::CivilDay(2027, 3, 31)));
  EXPECT_TRUE(rule.HasExpired(absl::CivilDay(2027, 4, 1)));
  EXPECT_FALSE(SuppressionRule().HasExpired(absl::CivilDay(2027, 4, 1)));
}

}  // namespace
}  // namespace fthreadprof
