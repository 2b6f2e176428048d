#include "race/report_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "unit/interpreter/temporary_directory.h"
#include "unit/race/sample_log.h"

namespace fthreadprof {
namespace {

using race_log::ObjectKind;
using race_log::VariableKind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// `d[k] += 1` in one thread, `d[k] = v` in the other.
RaceLiteral ItemRace(SampleLog& sample, const std::string& key, const std::string& file = "") {
  return {.object_kind = ObjectKind::kDict,
          .variable_kind = VariableKind::kElement,
          .type = "dict",
          .key = key,
          .earlier = {kFirstWorker, true, "dict.setitem",
                      sample.At("item", ObjectKind::kDict, true, 1, file)},
          .later = {kSecondWorker, true, "dict.setitem",
                    sample.At("if_not_in", ObjectKind::kDict, true, 0, file)}};
}

RaceReport ReportOf(const std::vector<const SampleLog*>& samples,
                    const std::string& directory = "/home/me", const OwnCode& own_code = {}) {
  ReportBuilder builder({.working_directory = directory, .source = false, .own_code = own_code});
  builder.BeginRun();
  for (const SampleLog* sample : samples) builder.Add(*sample->Read());
  return builder.Finish();
}

std::vector<bool> OwnOf(const RaceReport& report) {
  std::vector<bool> own;
  for (const Race& race : report.races) own.push_back(race.is_own);
  return own;
}

TEST(ReportBuilder, RunsAreCountedOnceEach) {
  SampleLog both, one;
  both.builder.Race(ItemRace(both, "'a'"));
  both.builder.Race(ItemRace(both, "'b'"));
  both.builder.Race(ItemRace(both, "'a'", "/home/me/other.py"));
  one.builder.Race(ItemRace(one, "'a'"));
  ReportBuilder builder({.working_directory = "/home/me", .source = false});
  for (const SampleLog* run : {&both, &one}) {
    builder.BeginRun();
    builder.Add(*run->Read());
  }
  builder.BeginRun();
  const RaceReport report = builder.Finish();
  EXPECT_EQ(report.runs, 3u);
  std::multiset<std::pair<uint32_t, uint64_t>> runs_and_counts;
  for (const Race& race : report.races) runs_and_counts.emplace(race.runs, race.count);
  EXPECT_THAT(runs_and_counts, ElementsAre(std::pair(1u, 1u), std::pair(2u, 3u)));
}

TEST(ReportBuilder, KeysThreadsAndProcessesOfOnePairOfPlacesAreOneRace) {
  SampleLog first, second("3.13t", 5000);
  first.builder.Count(first.builder.Race(ItemRace(first, "'b'")), 3);
  RaceLiteral swapped = ItemRace(first, "'a'");
  std::swap(swapped.earlier, swapped.later);
  first.builder.Race(swapped);
  second.builder.Race(ItemRace(second, "'c'"));
  const RaceReport report = ReportOf({&first, &second});
  ASSERT_THAT(report.races, SizeIs(1));
  EXPECT_EQ(report.races[0].count, 5u);
  EXPECT_EQ(report.races[0].kind, RaceKind::kLostUpdate);
  EXPECT_EQ(report.races[0].object.name, "d['a']");
  // Whichever log comes first.
  EXPECT_EQ(RenderJson(ReportOf({&second, &first}), 66), RenderJson(report, 66));
}

TEST(ReportBuilder, FingerprintsAreTheSameInEveryRunOfTheProgram) {
  SampleLog first, second("3.14", 9), other;
  first.builder.Race(ItemRace(first, "'a'", "/home/me/app/stats.py"));
  RaceLiteral again = ItemRace(second, "'b'", "/home/you/app/stats.py");
  again.address = 0x1234;
  std::swap(again.earlier, again.later);
  second.builder.Race(again);
  other.builder.Race(ItemRace(other, "'a'", "/home/me/app/other.py"));
  const std::string id = ReportOf({&first}).races.at(0).id;
  EXPECT_THAT(id, SizeIs(16));
  EXPECT_EQ(ReportOf({&second}, "/home/you").races.at(0).id, id);
  EXPECT_EQ(ReportOf({&second}, "/elsewhere").races.at(0).id, id);  // its last two components
  EXPECT_NE(ReportOf({&other}).races.at(0).id, id);
}

TEST(ReportBuilder, KindsNamesAndPlacesTellRacesApart) {
  SampleLog sample;
  sample.builder.Race(ItemRace(sample, "'a'"));
  RaceLiteral ordering = ItemRace(sample, "'a'");
  ordering.earlier.place = sample.At("item_of_another_key", ObjectKind::kDict, true);
  ordering.later.place = ordering.earlier.place;
  sample.builder.Race(ordering);
  const RaceReport report = ReportOf({&sample});
  ASSERT_THAT(report.races, SizeIs(2));
  EXPECT_NE(report.races[0].id, report.races[1].id);
  EXPECT_EQ(report.races[0].severity, Severity::kError);
  EXPECT_EQ(report.races[1].severity, Severity::kNote);
  EXPECT_EQ(report.CountOf(Severity::kError), 1u);
  EXPECT_EQ(report.CountAtLeast(Severity::kWarning), 1u);
  EXPECT_EQ(report.CountAtLeast(Severity::kNote), 2u);
}

TEST(ReportBuilder, ARaceHasTheTestsOfItsThreads) {
  const auto test_of = [&](const std::string& earlier, const std::string& later) {
    SampleLog log;
    log.builder.Tests(log.builder.Race(ItemRace(log, "'a'")), earlier, later);
    return ReportOf({&log}).races.at(0);
  };
  EXPECT_EQ(test_of("a", "b").accesses[0].test, "a");
  EXPECT_EQ(test_of("a", "b").accesses[1].test, "b");
  EXPECT_EQ(test_of("a", "b").test, "b");
  EXPECT_EQ(test_of("a", "").test, "a");
  EXPECT_EQ(test_of("", "").test, std::nullopt);
}

TEST(ReportBuilder, WorstAndMostFrequentComeFirst) {
  SampleLog sample;
  const auto write = [&](const std::string& function, const char* operation, uint64_t count) {
    const LoggedPlace place = sample.At(function, ObjectKind::kList, true);
    sample.builder.Count(sample.builder.Race({.earlier = {2, true, operation, place},
                                              .later = {3, true, operation, place}}),
                         count);
  };
  write("Stats.shared_list", "list.append", 1);
  write("takes_from", "list.extend", 9);
  sample.builder.Race(ItemRace(sample, "'a'"));
  const RaceReport report = ReportOf({&sample});
  ASSERT_THAT(report.races, SizeIs(3));
  EXPECT_EQ(report.races[0].object.name, "d['a']");
  EXPECT_EQ(report.races[1].object.name, "total");
  EXPECT_EQ(report.races[2].object.name, "Stats.log");
}

TEST(ReportBuilder, TheLibrarysOwnStateIsNotTheUsers) {
  SampleLog sample;
  RaceLiteral race = {.object_kind = ObjectKind::kInstance,
                      .variable_kind = VariableKind::kElement,
                      .type = "Logger",
                      .key = "level"};
  race.earlier = {2, true, "attribute.store",
                  sample.At("Stats.increment", ObjectKind::kInstance, true, 0, kLibraryFile)};
  race.later = race.earlier;
  sample.builder.Race(race);
  EXPECT_THAT(OwnOf(ReportOf({&sample})), ElementsAre(false));
  // One side in the program makes it the program's.
  race.later.place = sample.At("Stats.increment", ObjectKind::kInstance, true);
  sample.builder.Race(race);
  EXPECT_THAT(OwnOf(ReportOf({&sample})), UnorderedElementsAre(false, true));
}

TEST(ReportBuilder, InstalledPackagesAreNotTheUsersOwnUnlessIncluded) {
  SampleLog sample;
  sample.builder.Race(ItemRace(sample, "'a'", "/v/lib/python3.13t/site-packages/six.py"));
  EXPECT_THAT(OwnOf(ReportOf({&sample})), ElementsAre(false));
  EXPECT_THAT(OwnOf(ReportOf({&sample}, "", OwnCode({"six.py"}, {}))), ElementsAre(true));
  EXPECT_THAT(OwnOf(ReportOf({&sample}, "", OwnCode({"*"}, {"six.py"}))), ElementsAre(false));
}

// Two threads call random.shuffle(cards): both are inside of the library, on the program's list.
TEST(ReportBuilder, TheProgramsContainerInTheLibrarysHandsIsReported) {
  SampleLog sample;
  const uint32_t caller = sample.AddFunction("c_function");
  const LoggedPlace call = {caller, sample.Offset("c_function", ObjectKind::kList, false, 2)};
  const LoggedPlace inside = {sample.AddFunction("if_true", call, kLibraryFile),
                              sample.Offset("if_true", ObjectKind::kList, true)};
  sample.builder.Race(
      {.earlier = {2, true, "list.pop", inside}, .later = {3, true, "list.pop", inside}});
  const RaceReport report = ReportOf({&sample});
  ASSERT_THAT(report.races, SizeIs(1));
  EXPECT_EQ(report.races[0].object.name, "heap");
  EXPECT_TRUE(report.races[0].is_own);
  // Only for whom the caller's file is own code.
  EXPECT_THAT(OwnOf(ReportOf({&sample}, "", OwnCode({}, {"*"}))), ElementsAre(false));
}

// One method of the library's, on an object of its own and on one of the user's: the same race, and
// what concerns the user is shown.
TEST(ReportBuilder, OfTheSameRaceTheUsersIsShown) {
  SampleLog sample;
  const LoggedPlace call = {sample.AddFunction("Stats.shared_list"),
                            sample.Offset("Stats.shared_list", ObjectKind::kList, true)};
  const auto race = [&](LoggedPlace caller, uint32_t first, uint32_t second) {
    const LoggedPlace place = {sample.AddFunction("Stats.increment", caller, kLibraryFile),
                               sample.Offset("Stats.increment", ObjectKind::kInstance, true)};
    sample.builder.Race({.object_kind = ObjectKind::kInstance,
                         .variable_kind = VariableKind::kElement,
                         .type = "Stats",
                         .key = "hits",
                         .earlier = {first, true, "attribute.store", place},
                         .later = {second, true, "attribute.store", place}});
  };
  race({kOutsidePython, 0}, kFirstWorker, kSecondWorker);
  race(call, kSecondWorker, kFirstWorker);
  race({kOutsidePython, 0}, kFirstWorker, kSecondWorker);
  const RaceReport report = ReportOf({&sample});
  ASSERT_THAT(report.races, SizeIs(1));
  EXPECT_TRUE(report.races[0].is_own);
  EXPECT_THAT(report.races[0].accesses[0].stack, SizeIs(2));
  EXPECT_EQ(report.races[0].count, 3u);
}

TEST(ReportBuilder, StacksBeginOutermost) {
  SampleLog sample;
  const uint32_t caller = sample.AddFunction("c_function");
  const LoggedPlace call = {caller, sample.Offset("c_function", ObjectKind::kList, false, 2)};
  const LoggedPlace inside = {sample.AddFunction("if_true", call),
                              sample.Offset("if_true", ObjectKind::kList, true)};
  sample.builder.Race(
      {.earlier = {2, true, "list.pop", inside}, .later = {99, true, "list.pop", {1, 0}}});
  const RaceReport report = ReportOf({&sample});
  ASSERT_THAT(report.races, SizeIs(1));
  const RaceStack& stack = report.races[0].accesses[0].stack;
  ASSERT_THAT(stack, SizeIs(2));
  EXPECT_EQ(stack[0].function, "c_function");
  EXPECT_EQ(stack[1].function, "if_true");
  EXPECT_GT(stack[1].line, 0u);
  EXPECT_EQ(report.races[0].accesses[0].thread.name, "Thread-1 (work)");
  EXPECT_THAT(report.races[0].accesses[0].thread.created, SizeIs(1));
  EXPECT_THAT(report.races[0].accesses[1].stack, IsEmpty());
  EXPECT_EQ(report.races[0].accesses[1].thread.name, "");
}

TEST(ReportBuilder, NoticesAreSaidOnce) {
  SampleLog first, second;
  first.builder.Notice("Shadow memory is full.");
  second.builder.Notice("Shadow memory is full.");
  second.builder.Notice("Another.");
  EXPECT_THAT(ReportOf({&first, &second}).notices,
              ElementsAre("Shadow memory is full.", "Another."));
}

TEST(ReadRaceLogs, ReadsSourceLinesWhenWanted) {
  const TemporaryDirectory directory;
  std::ofstream(directory.path() / "app.py") << std::ifstream(RaceTestData("snippets.py")).rdbuf();
  SampleLog sample;
  sample.builder.Race(ItemRace(sample, "'a'", (directory.path() / "app.py").string()));
  std::ofstream(directory.path() / "1.0.racelog") << sample.builder.bytes();
  const auto with = ReadRaceLogs({directory.path()}, {.working_directory = directory.path()});
  ASSERT_TRUE(with.ok()) << with.status();
  EXPECT_EQ(with->races.at(0).accesses[1].stack.back().source.substr(0, 8), "d[k] = v");
  const auto without =
      ReadRaceLogs({directory.path()}, {.working_directory = directory.path(), .source = false});
  ASSERT_TRUE(without.ok());
  EXPECT_EQ(without->races.at(0).accesses[1].stack.back().source, "");
}

TEST(ReadRaceLogs, ACorruptLogIsANotice) {
  const TemporaryDirectory directory;
  SampleLog sample;
  sample.builder.Race(ItemRace(sample, "'a'"));
  std::ofstream(directory.path() / "1.0.racelog")
      << sample.builder.bytes() << std::string(64, '\x7f');
  const auto report = ReadRaceLogs({directory.path()}, {});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->races, SizeIs(1));
  EXPECT_THAT(report->notices, ElementsAre(testing::HasSubstr("1.0.racelog is corrupt after")));
}

TEST(ReadRaceLogs, NoLogsAreNoRaces) {
  const TemporaryDirectory directory;
  const auto report = ReadRaceLogs({directory.path()}, {});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(RenderText(*report, 0), "fthreadprof: 0 races, exit status 0\n");
}

}  // namespace
}  // namespace fthreadprof
