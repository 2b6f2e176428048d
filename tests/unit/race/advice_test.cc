#include "race/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/race/log_builder.h"

namespace fthreadprof {
namespace {

using race_log::ObjectKind;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

struct Scene {
  RaceKind kind = RaceKind::kLostUpdate;
  ObjectKind object = ObjectKind::kInstance;
  std::string earlier = "attribute.store";
  std::string later = "attribute.load";
  bool later_writes = false;
  std::vector<std::string> earlier_locks = {};
  std::vector<std::string> later_locks = {};
};

// The message and the advice.
std::string SentencesFor(const Scene& scene) {
  Race race;
  race.kind = scene.kind;
  race.accesses[0].locks_held = scene.earlier_locks;
  race.accesses[1].locks_held = scene.later_locks;
  LoggedRace logged;
  logged.object_kind = scene.object;
  logged.earlier.operation = OperationNumber(scene.earlier);
  logged.earlier.is_write = true;
  logged.later.operation = OperationNumber(scene.later);
  logged.later.is_write = scene.later_writes;
  const ObjectName name = {"d['a']", "d", "d", true};
  const AdviceInput input = {race, logged, name};
  return MessageFor(input) + "\n" + AdviceFor(input);
}

TEST(Advice, SaysWhichLocksAreHeld) {
  EXPECT_THAT(SentencesFor({}), Not(HasSubstr("held on one side")));
  EXPECT_THAT(SentencesFor({.later_locks = {"self._lock"}}),
              EndsWith("`self._lock` is held on one side only."));
  EXPECT_THAT(SentencesFor({.earlier_locks = {"a", "b"}}),
              EndsWith("`a` and `b` are held on one side only."));
  EXPECT_THAT(SentencesFor({.earlier_locks = {"a"}, .later_locks = {"b"}}),
              EndsWith("The two sides hold different locks: `a` and `b`."));
}

TEST(Advice, FitsTheKindAndTheObject) {
  EXPECT_THAT(SentencesFor({}), AllOf(HasSubstr("one of the updates is lost"),
                                      HasSubstr("from the read to the write of `d['a']`")));
  EXPECT_THAT(SentencesFor({.kind = RaceKind::kCheckThenAct, .object = ObjectKind::kDict}),
              AllOf(HasSubstr("tests `d`"), HasSubstr("setdefault()")));
  EXPECT_THAT(SentencesFor({.kind = RaceKind::kCheckThenAct, .object = ObjectKind::kList}),
              HasSubstr("queue.Queue"));
  EXPECT_THAT(SentencesFor({.kind = RaceKind::kCheckThenAct}),
              EndsWith("from the test to the action on `d`."));
  EXPECT_THAT(SentencesFor({.kind = RaceKind::kIteration, .object = ObjectKind::kDict}),
              HasSubstr("`d.copy()`"));
  EXPECT_THAT(SentencesFor({.kind = RaceKind::kUnsafe,
                            .object = ObjectKind::kList,
                            .earlier = "list.append",
                            .later = "list.sort"}),
              AllOf(HasSubstr("list.sort of `d` is not atomic"), HasSubstr("sorted()")));
  EXPECT_THAT(SentencesFor({.kind = RaceKind::kUnsafe,
                            .object = ObjectKind::kIterator,
                            .earlier = "iterator.next",
                            .later = "iterator.next"}),
              AllOf(HasSubstr("take from the iterator `d`"), HasSubstr("every next()")));
  EXPECT_THAT(SentencesFor({.kind = RaceKind::kDataRace}),
              AllOf(HasSubstr("old or the new"), HasSubstr("threading.Event")));
  EXPECT_THAT(SentencesFor({.kind = RaceKind::kDataRace, .later_writes = true}),
              AllOf(HasSubstr("Two threads write"), HasSubstr("one thread alone")));
  EXPECT_THAT(SentencesFor({.kind = RaceKind::kDataRace, .object = ObjectKind::kList}),
              HasSubstr("hand values over"));
  EXPECT_THAT(SentencesFor({.kind = RaceKind::kOrdering, .object = ObjectKind::kList}),
              HasSubstr("Nothing is lost"));
}

}  // namespace
}  // namespace fthreadprof
