#include "race/baseline.h"

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
using testing::StartsWith;

const RacePlace kRead = {"app.py", "Stats.read"};
const RacePlace kWrite = {"app.py", "Stats.write"};
const RacePlace kReset = {"app.py", "Stats.reset"};

Race MakeRace(const std::string& id, RacePlace first, RacePlace second,
              RaceKind kind = RaceKind::kLostUpdate, const std::string& object = "Stats.hits") {
  Race race;
  race.id = id;
  race.kind = kind;
  race.object.name = object + "['k']";
  race.object.stable_name = object;
  race.places = {std::move(first), std::move(second)};
  return race;
}

Baseline Reread(const Baseline& baseline) {
  const absl::StatusOr<Baseline> read = Baseline::Parse(baseline.Render(), "base.json");
  EXPECT_TRUE(read.ok()) << read.status();
  return read.value_or(Baseline());
}

std::string ErrorOf(const std::string& text) {
  return std::string(Baseline::Parse(text, "base.json").status().message());
}

// A document with one race, whose JSON is given.
std::string With(const std::string& race) {
  return R"({"schema": "fthreadprof.race-baseline/1", "races": [)" + race + "]}";
}

TEST(BaselineTest, KnowsWhatItWrote) {
  Baseline baseline;
  baseline.Add(MakeRace("01", kRead, kWrite));
  const Baseline read = Reread(baseline);
  EXPECT_EQ(read.Render(), baseline.Render());
  EXPECT_TRUE(read.Knows(MakeRace("01", kRead, kWrite)));
  // The same id is enough.
  EXPECT_TRUE(read.Knows(MakeRace("01", kReset, kReset, RaceKind::kUnsafe, "other")));
  EXPECT_FALSE(Baseline().Knows(MakeRace("01", kRead, kWrite)));
}

TEST(BaselineTest, KnowsOtherPairsOfTheSamePlaces) {
  Baseline baseline;
  baseline.Add(MakeRace("01", kRead, kWrite));
  EXPECT_TRUE(baseline.Knows(MakeRace("02", kWrite, kWrite)));
  EXPECT_TRUE(baseline.Knows(MakeRace("02", kWrite, kRead)));
  EXPECT_FALSE(baseline.Knows(MakeRace("02", kReset, kWrite)));
  EXPECT_FALSE(baseline.Knows(MakeRace("02", kRead, kReset)));
  EXPECT_FALSE(baseline.Knows(MakeRace("02", kRead, kWrite, RaceKind::kDataRace)));
  EXPECT_FALSE(
      baseline.Knows(MakeRace("02", kRead, kWrite, RaceKind::kLostUpdate, "Stats.misses")));
  EXPECT_FALSE(baseline.Knows(MakeRace("02", {"other.py", "Stats.read"}, kWrite)));
  baseline.Add(MakeRace("03", kReset, kReset));
  EXPECT_TRUE(baseline.Knows(MakeRace("02", kReset, kWrite)));
}

TEST(BaselineTest, MissesWhatDidNotOccur) {
  Baseline baseline;
  baseline.Add(MakeRace("01", kRead, kWrite));
  baseline.Add(MakeRace("02", kRead, kWrite, RaceKind::kUnsafe, "Pool.idle"));
  EXPECT_THAT(baseline.Missing({}), SizeIs(2));
  EXPECT_THAT(baseline.Missing({MakeRace("09", kReset, kReset)}),
              ElementsAre(testing::Field(&KnownRace::id, "02")));
  EXPECT_THAT(baseline.Missing({MakeRace("01", kRead, kWrite), MakeRace("02", kRead, kWrite)}),
              IsEmpty());
}

TEST(BaselineTest, ItsTextIsInOrderWhateverCameFirst) {
  Baseline one, other;
  one.Add(MakeRace("01", kRead, kWrite));
  one.Add(MakeRace("02", kReset, kWrite));
  other.Add(MakeRace("02", kReset, kWrite));
  other.Add(MakeRace("01", kRead, kWrite));
  other.Add(MakeRace("01", kRead, kWrite));
  EXPECT_EQ(one.Render(), other.Render());
  EXPECT_THAT(one.Render(), StartsWith("{\n  \"schema\": \"fthreadprof.race-baseline/1\",\n"));
}

TEST(BaselineTest, APlaceOutsideOfPythonIsAPlace) {
  Baseline baseline;
  baseline.Add(MakeRace("01", {}, kWrite));
  EXPECT_TRUE(Reread(baseline).Knows(MakeRace("02", {}, kWrite)));
}

TEST(BaselineTest, MistakesAreOneSentence) {
  EXPECT_THAT(ErrorOf("{\n\"schema\": \"x\",\n oops"), StartsWith("base.json:3: is not JSON"));
  EXPECT_THAT(ErrorOf(""), StartsWith("base.json:1: is not JSON"));
  EXPECT_THAT(ErrorOf("{\"a\": \"\xff\"}"), StartsWith("base.json:1: is not JSON"));
  EXPECT_THAT(ErrorOf("[]"), StartsWith("base.json:1: is no baseline of schema"));
  EXPECT_THAT(ErrorOf(R"({"schema": "fthreadprof.race/1", "races": []})"),
              HasSubstr("is no baseline of schema fthreadprof.race-baseline/1"));
  EXPECT_THAT(ErrorOf(R"({"schema": "fthreadprof.race-baseline/1"})"),
              HasSubstr("has no list of races"));
  EXPECT_THAT(ErrorOf(std::string(100'000, '[')), StartsWith("base.json:1: is not JSON"));
}

TEST(BaselineTest, MistakesInAnEntryAreNamed) {
  const std::string place = R"({"file": "a.py", "function": "f"})";
  const std::string good =
      R"({"id": "1", "kind": "unsafe", "object": "x", "places": [)" + place + ", " + place + "]}";
  ASSERT_TRUE(Baseline::Parse(With(good), "base.json").ok());
  const auto error_in_second = [&](const std::string& entry) {
    return ErrorOf(With(good + ", " + entry));
  };
  EXPECT_THAT(error_in_second("3"), StartsWith("base.json: races[1] has no id"));
  EXPECT_THAT(error_in_second("{}"), StartsWith("base.json: races[1] has no id"));
  EXPECT_THAT(error_in_second(R"({"id": "1", "kind": "race", "object": "x"})"),
              HasSubstr("no kind of race"));
  EXPECT_THAT(error_in_second(R"({"id": "1", "kind": "unsafe"})"), HasSubstr("no object"));
  EXPECT_THAT(error_in_second(R"({"id": "1", "kind": "unsafe", "object": "x"})"),
              HasSubstr("no two places"));
  EXPECT_THAT(error_in_second(R"({"id": "1", "kind": "unsafe", "object": "x", "places": [1, 2]})"),
              HasSubstr("a place that has no file or function"));
}

}  // namespace
}  // namespace fthreadprof
