#include "race/classifier.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "race/operation.h"
#include "race/race_normalizer.h"
#include "unit/race/sample_log.h"

namespace fthreadprof {
namespace {

using race_log::ObjectKind;
using race_log::VariableKind;

// A side: a function of snippets.py, and which of its accesses.
struct Side {
  std::string function;
  bool writes = false;
  std::string operation;
  int nth = 0;
};

struct Case {
  ObjectKind object;
  VariableKind variable;
  Side earlier, later;
  RaceKind kind;
};

RaceKind KindOf(const Case& test, const std::string& version) {
  SampleLog sample(version);
  const auto access = [&](uint32_t thread, const Side& side) {
    // In C's hands, what the function only seems to read.
    const bool seen_as_read = side.function == "c_function";
    return AccessLiteral{
        thread, side.writes, side.operation,
        sample.At(side.function, test.object, side.writes && !seen_as_read, side.nth)};
  };
  sample.builder.Race({.object_kind = test.object,
                       .variable_kind = test.variable,
                       .key = "hits",
                       .earlier = access(kFirstWorker, test.earlier),
                       .later = access(kSecondWorker, test.later)});
  const std::unique_ptr<RaceLog> log = sample.Read();
  LogAnalysis analysis(*log);
  return ClassifyRace(analysis, NormalizeRace(analysis, log->races.at(0)));
}

constexpr auto kInstance = ObjectKind::kInstance;
constexpr auto kList = ObjectKind::kList;
constexpr auto kDict = ObjectKind::kDict;
constexpr auto kSet = ObjectKind::kSet;
constexpr auto kDeque = ObjectKind::kDeque;
constexpr auto kBytearray = ObjectKind::kBytearray;
constexpr auto kIterator = ObjectKind::kIterator;
constexpr auto kElement = VariableKind::kElement;
constexpr auto kStructure = VariableKind::kStructure;
constexpr auto kOrder = VariableKind::kOrder;

const Side kIncrement = {"Stats.increment", true, "attribute.store"};
const Side kReadOfIncrement = {"Stats.increment", false, "attribute.load"};
const Side kPlainStore = {"Stats.of_another_attribute", true, "attribute.store"};
const Side kPlainLoad = {"Stats.of_another_object", false, "attribute.load"};
const Side kTest = {"Stats.once", false, "attribute.load"};
const Side kAct = {"Stats.once", true, "attribute.store"};
const Side kListLoop = {"iterations", false, "list.iterate"};
const Side kElementLoop = {"iterations", false, "list.getitem"};
const Side kAppend = {"Stats.shared_list", true, "list.append"};
const Side kListStore = {"item_of_another_key", true, "list.setitem"};
const Side kListLoad = {"item_of_another_key", false, "list.getitem"};
const Side kDictStore = {"item_of_another_key", true, "dict.setitem"};
const Side kDictLoad = {"only_reads", false, "dict.getitem", 1};
const Side kDictIncrement = {"item", true, "dict.setitem", 1};  // 0: += of what d[k] is
const Side kIfIn = {"if_not_in", false, "dict.getitem"};
const Side kDictInsert = {"if_not_in", true, "dict.setitem"};

const Case kCases[] = {
    // lost-update: a write on the other side, or a read that leads to one
    {kInstance, kElement, kIncrement, kReadOfIncrement, RaceKind::kLostUpdate},
    {kInstance, kElement, kIncrement, kIncrement, RaceKind::kLostUpdate},
    {kInstance, kElement, kIncrement, kPlainStore, RaceKind::kLostUpdate},
    {kInstance, kElement, kIncrement, kPlainLoad, RaceKind::kDataRace},
    {kInstance, kElement, kIncrement, kTest, RaceKind::kLostUpdate},
    {kDict, kElement, kDictIncrement, kDictStore, RaceKind::kLostUpdate},
    {kDict, kElement, kDictIncrement, kDictLoad, RaceKind::kDataRace},
    {kList, kElement, {"elements", true, "list.setitem"}, kListStore, RaceKind::kLostUpdate},
    // check-then-act
    {kInstance, kElement, kTest, kAct, RaceKind::kCheckThenAct},
    {kInstance, kElement, kTest, kPlainStore, RaceKind::kCheckThenAct},
    {kInstance, kElement, kAct, kPlainLoad, RaceKind::kDataRace},
    {kDict, kElement, kIfIn, kDictInsert, RaceKind::kCheckThenAct},
    {kDict, kElement, kDictInsert, kDictInsert, RaceKind::kCheckThenAct},
    {kDict, kElement, kDictInsert, kDictLoad, RaceKind::kDataRace},
    {kList, kStructure, {"if_true", false, "list.len"}, kAppend, RaceKind::kCheckThenAct},
    {kList, kStructure, {"while_true", true, "list.pop"}, kAppend, RaceKind::kCheckThenAct},
    {kSet,
     kStructure,
     {"while_true", true, "set.pop"},
     {"Stats.shared_list", true, "set.add"},
     RaceKind::kCheckThenAct},
    {kList, kElement, {"c_function", true, "list.setitem", 2}, kListStore, RaceKind::kCheckThenAct},
    // iteration
    {kList, kStructure, kListLoop, kAppend, RaceKind::kIteration},
    {kList, kOrder, kElementLoop, {"if_in_list", true, "list.remove"}, RaceKind::kIteration},
    {kList, kElement, kElementLoop, kListStore, RaceKind::kDataRace},
    {kDict,
     kStructure,
     {"iterations", false, "dict.iterate", 1},
     kDictInsert,
     RaceKind::kIteration},
    {kSet,
     kStructure,
     {"iterations", false, "set.iterate"},
     {"Stats.shared_list", true, "set.add"},
     RaceKind::kIteration},
    // unsafe
    {kIterator,
     kElement,
     {"c_function", true, "iterator.next", 2},
     {"c_function", true, "generator.next", 2},
     RaceKind::kUnsafe},
    {kList, kOrder, {"Stats.shared_list", true, "heapq.heappush"}, kAppend, RaceKind::kUnsafe},
    {kBytearray,
     kStructure,
     {"Stats.shared_list", true, "bytearray.append"},
     {"formatted", false, "bytearray.compare"},
     RaceKind::kUnsafe},
    {kList, kOrder, {"Stats.shared_list", true, "list.sort"}, kAppend, RaceKind::kUnsafe},
    {kList, kOrder, {"Stats.shared_list", true, "list.sort"}, kListLoad, RaceKind::kUnsafe},
    // data-race
    {kInstance, kElement, kPlainStore, kPlainLoad, RaceKind::kDataRace},
    {kInstance, kElement, kPlainStore, kPlainStore, RaceKind::kDataRace},
    {kDict, kElement, kDictStore, kDictLoad, RaceKind::kDataRace},
    {kList, kStructure, kAppend, {"formatted", false, "list.len"}, RaceKind::kDataRace},
    {kList, kOrder, {"Stats.shared_list", true, "list.insert"}, kAppend, RaceKind::kDataRace},
    {kList, kStructure, kAppend, {"pop_from_the_middle", true, "list.pop"}, RaceKind::kDataRace},
    {kList, kOrder, kListLoad, {"pop_from_the_middle", true, "list.pop"}, RaceKind::kDataRace},
    {kSet,
     kElement,
     {"Stats.shared_list", true, "set.add"},
     {"formatted", false, "set.contains"},
     RaceKind::kDataRace},
    {kDeque,
     kOrder,
     {"Stats.shared_list", true, "deque.rotate"},
     {"formatted", false, "deque.len"},
     RaceKind::kDataRace},
    // ordering
    {kSet,
     kElement,
     {"Stats.shared_list", true, "set.add"},
     {"Stats.shared_list", true, "set.remove"},
     RaceKind::kOrdering},
    {kDeque,
     kStructure,
     {"Stats.shared_list", true, "deque.append"},
     {"Stats.shared_list", true, "deque.popleft"},
     RaceKind::kOrdering},
    {kList, kStructure, kAppend, kAppend, RaceKind::kOrdering},
    {kList, kElement, kListStore, kListStore, RaceKind::kOrdering},
    {kDict, kElement, kDictStore, kDictStore, RaceKind::kOrdering},
    {kList, kStructure, kAppend, {"pop_and_put_back", true, "list.pop"}, RaceKind::kOrdering},
};

class ClassifierTest : public testing::TestWithParam<std::string> {};

TEST_P(ClassifierTest, FollowsTheTableWhicheverSideComesFirst) {
  for (const Case& test : kCases) {
    Case swapped = test;
    std::swap(swapped.earlier, swapped.later);
    const std::string what = test.earlier.function + " " + test.earlier.operation + " / " +
                             test.later.function + " " + test.later.operation;
    EXPECT_EQ(RaceKindName(KindOf(test, GetParam())), RaceKindName(test.kind)) << what;
    EXPECT_EQ(RaceKindName(KindOf(swapped, GetParam())), RaceKindName(test.kind)) << what;
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, ClassifierTest, testing::Values("3.13t", "3.14", "3.15"),
                         [](const auto& info) {
                           return "Python" + info.param.substr(0, 1) + "_" + info.param.substr(2);
                         });

TEST(Classifier, WithoutCodeTheOperationsDecide) {
  RaceLogBuilder builder;
  builder.Race({.earlier = {1, true, "list.append", {kOutsidePython, 0}},
                .later = {2, true, "list.append", {kUnknownNode, 0}}});
  const std::unique_ptr<RaceLog> log = ParseRaceLog(builder.bytes(), "x");
  LogAnalysis analysis(*log);
  EXPECT_EQ(ClassifyRace(analysis, log->races.at(0)), RaceKind::kOrdering);
}

TEST(Severity, ByKind) {
  EXPECT_EQ(SeverityOf(RaceKind::kLostUpdate), Severity::kError);
  EXPECT_EQ(SeverityOf(RaceKind::kCheckThenAct), Severity::kError);
  EXPECT_EQ(SeverityOf(RaceKind::kIteration), Severity::kError);
  EXPECT_EQ(SeverityOf(RaceKind::kUnsafe), Severity::kError);
  EXPECT_EQ(SeverityOf(RaceKind::kDataRace), Severity::kWarning);
  EXPECT_EQ(SeverityOf(RaceKind::kOrdering), Severity::kNote);
  for (const char* name : {"note", "warning", "error"}) {
    ASSERT_TRUE(ParseSeverity(name).has_value());
    EXPECT_EQ(SeverityName(*ParseSeverity(name)), name);
  }
  EXPECT_EQ(ParseSeverity("never"), std::nullopt);
}

TEST(Operation, EachHasAPhrase) {
  for (int operation = 1; OperationName(static_cast<uint8_t>(operation)) != "none"; ++operation) {
    EXPECT_NE(TraitsOf(static_cast<uint8_t>(operation)).phrase, "access to")
        << OperationName(static_cast<uint8_t>(operation));
  }
  EXPECT_EQ(TraitsOf(255).phrase, "access to");
  EXPECT_EQ(OperationName(255), "none");
}

}  // namespace
}  // namespace fthreadprof
