#include "race/object_namer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "race/race_normalizer.h"
#include "unit/race/sample_log.h"

namespace fthreadprof {
namespace {

using race_log::ObjectKind;
using race_log::VariableKind;
using testing::ElementsAre;
using testing::IsEmpty;

class ObjectNamerTest : public testing::TestWithParam<std::string> {
 protected:
  ObjectName NameOf(const RaceLiteral& race) {
    sample_.builder.Race(race);
    const std::unique_ptr<RaceLog> log = sample_.Read();
    EXPECT_TRUE(log->problem.ok()) << log->problem;
    LogAnalysis analysis(*log);
    return ObjectNamer(analysis).NameOf(NormalizeRace(analysis, log->races.back()));
  }
  // Of an object that one function accesses, the other side being unknown.
  ObjectName NameIn(const std::string& function, ObjectKind kind, bool writes,
                    const std::string& operation, const std::string& key = "",
                    const std::string& type = "list", int nth = 0) {
    return NameOf(
        {.object_kind = kind,
         .variable_kind = key.empty() ? VariableKind::kStructure : VariableKind::kElement,
         .type = type,
         .key = key,
         .earlier = {kFirstWorker, writes, operation, sample_.At(function, kind, writes, nth)},
         .later = {kSecondWorker, true, operation, {kUnknownNode, 0}}});
  }

  SampleLog sample_{GetParam()};
};

TEST_P(ObjectNamerTest, AttributesByTheirType) {
  EXPECT_EQ(NameIn("Stats.increment", ObjectKind::kInstance, true, "attribute.store", "hits",
                   "app.<locals>.Stats")
                .element,
            "Stats.hits");
  EXPECT_EQ(
      NameIn("Stats.increment", ObjectKind::kClass, true, "class.store", "'hits'", "Stats").element,
      "Stats.hits");
}

TEST_P(ObjectNamerTest, Globals) {
  EXPECT_EQ(
      NameIn("globals_too", ObjectKind::kModule, true, "global.store", "total", "module").element,
      "module total");
}

// `state.requests += 1` of a module goes through the module's dict.
TEST_P(ObjectNamerTest, AGlobalFoundThroughItsDictIsAGlobal) {
  const LoggedPlace store = sample_.At("list_head", ObjectKind::kInstance, true);
  EXPECT_EQ(NameOf({.object_kind = ObjectKind::kDict,
                    .variable_kind = VariableKind::kElement,
                    .type = "dict",
                    .key = "'head'",
                    .earlier = {kFirstWorker, true, "dict.setitem", store},
                    .later = {kSecondWorker, true, "dict.setitem", store}})
                .element,
            "module head");
}

TEST_P(ObjectNamerTest, ClosureVariablesByTheFunctionWhoseTheyAre) {
  const std::string increment = "make_counter.<locals>.increment";
  EXPECT_EQ(NameIn(increment, ObjectKind::kCell, true, "cell.store", "", "cell").element,
            "closure make_counter.<n>");
  EXPECT_EQ(NameIn("make_counter", ObjectKind::kCell, true, "cell.store", "", "cell").element,
            "closure make_counter.<n>");
}

TEST_P(ObjectNamerTest, ContainersByTheBestOfBothSides) {
  const auto name_of = [&](const std::string& first, int first_nth, const std::string& second,
                           int second_nth) {
    return NameOf({.object_kind = ObjectKind::kDict,
                   .variable_kind = VariableKind::kElement,
                   .type = "dict",
                   .key = "'k'",
                   .earlier = {kFirstWorker, false, "dict.getitem",
                               sample_.At(first, ObjectKind::kDict, false, first_nth)},
                   .later = {kSecondWorker, false, "dict.getitem",
                             sample_.At(second, ObjectKind::kDict, false, second_nth)}})
        .element;
  };
  EXPECT_EQ(name_of("if_not_in", 0, "Stats.alias", 0), "Stats._cache['k']");
  EXPECT_EQ(name_of("Stats.alias", 0, "if_not_in", 0), "Stats._cache['k']");
  EXPECT_EQ(name_of("if_not_in", 0, "if_len", 0), "d['k']");
  EXPECT_EQ(name_of("if_len", 0, "if_not_in", 0), "d['k']");
}

TEST_P(ObjectNamerTest, ElementsAndWholes) {
  EXPECT_EQ(NameIn("elements", ObjectKind::kList, true, "list.setitem", "3").element, "items[3]");
  EXPECT_EQ(NameIn("elements", ObjectKind::kList, true, "list.setitem", "3").container, "items");
  EXPECT_EQ(NameIn("elements", ObjectKind::kList, true, "list.setitem", "3").stable, "items");
  EXPECT_EQ(NameIn("if_len", ObjectKind::kList, true, "list.pop").element, "q");
  EXPECT_EQ(NameIn("matrix", ObjectKind::kList, true, "list.setitem", "0", "list", 1).element,
            "rows[i][0]");
}

TEST_P(ObjectNamerTest, AnElementOfASetByItsSet) {
  EXPECT_EQ(NameIn("elements", ObjectKind::kSet, true, "set.add", "3", "set").element, "items");
  EXPECT_EQ(NameIn("elements", ObjectKind::kDeque, true, "deque.setitem", "3", "deque").element,
            "items[3]");
}

TEST_P(ObjectNamerTest, WithoutCodeByAddress) {
  const ObjectName name = NameOf({.earlier = {kFirstWorker, true, "list.append", {1, 0}},
                                  .later = {kSecondWorker, true, "list.append", {0, 0}}});
  EXPECT_EQ(name.element, "list at 0x7f0000001000");
  EXPECT_EQ(name.stable, "list");
  EXPECT_FALSE(name.in_program);
}

// collections.Counter.update(words) changes itself in library code; the caller's line names it.
TEST_P(ObjectNamerTest, LibraryArgumentsByWhatTheCallerGave) {
  const uint32_t caller = sample_.AddFunction("c_function");
  const uint32_t call = sample_.Offset("c_function", ObjectKind::kList, false, 2);
  const uint32_t callee = sample_.AddFunction("if_len", {caller, call}, kLibraryFile);
  const uint32_t offset = sample_.Offset("if_len", ObjectKind::kList, false);
  const ObjectName name =
      NameOf({.earlier = {kFirstWorker, false, "list.len", {callee, offset}},
              .later = {kSecondWorker, true, "list.append", {kUnknownNode, 0}}});
  EXPECT_EQ(name.element, "heap");
  EXPECT_TRUE(name.in_program);
}

// `heappop(heap)` stands for a call of `called.append`, by whatever name.
TEST_P(ObjectNamerTest, AnArgumentOfABoundMethodIsNotItsObject) {
  EXPECT_EQ(NameIn("c_function", ObjectKind::kList, false, "heapq.heappop", "", "list", 2).stable,
            "heap");
  EXPECT_EQ(NameIn("c_function", ObjectKind::kList, false, "list.append", "", "list", 2).stable,
            "list");
}

TEST_P(ObjectNamerTest, LocksByTheLineThatTookThem) {
  const uint32_t node = sample_.AddFunction("with_a_lock");
  const SymbolicCode code(BytecodeOf(GetParam()).code("with_a_lock"),
                          ResolveOpcodes(BytecodeOf(GetParam()).opcodes));
  LoggedPlace taken = {node, 0};
  for (uint32_t i = 0; i < code.effects().size(); ++i) {
    if (code.effects()[i].name != "__enter__") continue;
    taken.offset = BytecodeOf(GetParam()).code("with_a_lock").instructions[i].offset;
    break;
  }
  // Condition.__enter__ takes its own lock inside of threading.py.
  const uint32_t inside =
      sample_.AddFunction("Stats.shared_list", taken, "/usr/lib/python3.13/threading.py");
  const std::unique_ptr<RaceLog> log = sample_.Read();
  LogAnalysis analysis(*log);
  ObjectNamer namer(analysis);
  EXPECT_EQ(namer.NameOf(LoggedLock{0x10, race_log::LockKind::kLock, taken}), "lock");
  EXPECT_EQ(namer.NameOf(LoggedLock{0x10, race_log::LockKind::kLock, {inside, 3}}), "lock");
  EXPECT_EQ(namer.NameOf(LoggedLock{0x10, race_log::LockKind::kLock, {kUnknownNode, 0}}),
            "lock at 0x10");
  // An RLock that is held twice is one lock.
  LoggedRace race;
  race.earlier.locks = {{0x10, race_log::LockKind::kRLock, taken},
                        {0x10, race_log::LockKind::kRLock, taken},
                        {0x20, race_log::LockKind::kLock, {kUnknownNode, 0}}};
  EXPECT_THAT(namer.LocksOf(race), ElementsAre(ElementsAre("lock", "lock at 0x20"), IsEmpty()));
  // Two that are taken in the same line are two.
  race.later.locks = {{0x30, race_log::LockKind::kLock, taken}};
  EXPECT_THAT(namer.LocksOf(race),
              ElementsAre(ElementsAre("lock (1)", "lock at 0x20"), ElementsAre("lock (2)")));
}

INSTANTIATE_TEST_SUITE_P(Versions, ObjectNamerTest, testing::Values("3.13t", "3.14", "3.15"),
                         [](const auto& info) {
                           return "Python" + info.param.substr(0, 1) + "_" + info.param.substr(2);
                         });

TEST(Names, OfClassesAndComponents) {
  EXPECT_EQ(ClassOfFunction("Cache.get"), "Cache");
  EXPECT_EQ(ClassOfFunction("Cache.get.<locals>.helper"), "Cache");
  EXPECT_EQ(ClassOfFunction("main.<locals>.Cache.get"), "Cache");
  EXPECT_EQ(ClassOfFunction("main.<locals>.work"), "");
  EXPECT_EQ(ClassOfFunction("main"), "");
  EXPECT_EQ(ClassOfFunction(""), "");
  EXPECT_EQ(ClassOfFunction("<locals>.x"), "");
  EXPECT_EQ(LastComponent("main.<locals>.Cache"), "Cache");
  EXPECT_EQ(LastComponent("dict"), "dict");
}

}  // namespace
}  // namespace fthreadprof
