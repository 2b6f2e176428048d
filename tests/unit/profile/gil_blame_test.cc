#include "profile/gil_blame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profile/profile.h"

namespace fthreadprof {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Entry = GilBlame::Entry;

LoggedSample Waits(uint32_t stack, uint64_t time_us) {
  return {.thread = 0, .stack = stack, .state = ThreadState::kGilWait, .time_us = time_us};
}
LoggedSample Holds(uint32_t stack, uint64_t time_us) {
  return {.thread = 1,
          .stack = stack,
          .state = ThreadState::kRunning,
          .has_gil = true,
          .time_us = time_us};
}

TEST(GilBlame, WhoeverHoldsInThePassIsToBlame) {
  GilBlame blame;
  blame.Add(Waits(1, 10), 0);
  blame.Add(Holds(5, 10), 0);
  blame.Add(Waits(2, 10), 0);
  blame.Add(Holds(6, 20), 0);
  blame.Add(Waits(1, 20), 0);
  blame.Add(Waits(1, 30), 0);
  blame.Add(Holds(5, 30), 0);
  EXPECT_THAT(blame.Table(), ElementsAre(Entry{1, 5, 2}, Entry{1, 6, 1}, Entry{2, 5, 1}));
}

TEST(GilBlame, AHolderThatWasNotSampledIsNotKnown) {
  GilBlame blame;
  blame.Add(Holds(5, 10), 0);
  blame.Add(Waits(1, 20), 0);
  EXPECT_THAT(blame.Table(), ElementsAre(Entry{1, kEmptyStack, 1}));
}

TEST(GilBlame, EachGilHasItsHolder) {
  GilBlame blame;
  blame.Add(Holds(5, 10), 1);
  blame.Add(Waits(1, 10), 2);
  blame.Add(Holds(6, 10), 2);
  blame.Add(Waits(2, 10), 1);
  EXPECT_THAT(blame.Table(), ElementsAre(Entry{1, 6, 1}, Entry{2, 5, 1}));
}

TEST(GilBlame, OtherStatesAreNoWaiting) {
  GilBlame blame;
  LoggedSample idle = Waits(1, 10);
  idle.state = ThreadState::kIdle;
  blame.Add(idle, 0);
  blame.Add(Holds(5, 10), 0);
  EXPECT_THAT(blame.Table(), IsEmpty());
}

}  // namespace
}  // namespace fthreadprof
