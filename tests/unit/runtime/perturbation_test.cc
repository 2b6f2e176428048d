#include "perturbation.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace fthreadprof::race {
namespace {

constexpr uint64_t kPlace = 77;
constexpr uint32_t kLongest = 17'000;  // microseconds

Perturbation Started(uint64_t identity) {
  Perturbation perturbation;
  perturbation.Begin(identity, /*started=*/true);
  return perturbation;
}

std::vector<uint32_t> DelaysOf(Perturbation perturbation, int visits, uint64_t place = kPlace) {
  std::vector<uint32_t> delays = {perturbation.DelayAtStart()};
  for (int i = 0; i < visits; ++i) delays.push_back(perturbation.DelayAtSynchronization(place));
  return delays;
}

TEST(Perturbation, NothingIsDecidedWithoutASeed) {
  Perturbation perturbation = Started(0);
  EXPECT_FALSE(perturbation.is_on());
  EXPECT_EQ(perturbation.NextChild(), 0u);
}

TEST(Perturbation, TheSameIdentityDecidesTheSame) {
  EXPECT_EQ(DelaysOf(Started(5), 100), DelaysOf(Started(5), 100));
  EXPECT_NE(DelaysOf(Started(5), 100), DelaysOf(Started(6), 100));
  EXPECT_NE(DelaysOf(Started(5), 100), DelaysOf(Started(5), 100, kPlace + 1));
}

TEST(Perturbation, ADecisionDoesNotHangOnOtherPlaces) {
  Perturbation one = Started(5), other = Started(5);
  for (int i = 0; i < 50; ++i) other.DelayAtContention(kPlace + 2);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(one.DelayAtContention(kPlace), other.DelayAtContention(kPlace));
  }
}

TEST(Perturbation, ChildrenAreToldApartByTheirNumber) {
  Perturbation one = Started(5), other = Started(5);
  const uint64_t first = one.NextChild();
  EXPECT_EQ(other.NextChild(), first);
  EXPECT_NE(one.NextChild(), first);
}

TEST(Perturbation, ThreadsBeginInEitherOrder) {
  int earlier = 0, later = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Perturbation starter = Started(seed);
    const uint32_t first = Started(starter.NextChild()).DelayAtStart();
    const uint32_t second = Started(starter.NextChild()).DelayAtStart();
    earlier += first < second ? 1 : 0;
    later += first > second ? 1 : 0;
  }
  EXPECT_GT(earlier, 60);
  EXPECT_GT(later, 60);
}

TEST(Perturbation, DelaysAreShort) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    for (const uint32_t delay : DelaysOf(Started(seed), 100)) EXPECT_LT(delay, kLongest);
  }
}

TEST(Perturbation, ALoopIsDelayedEverMoreSeldom) {
  uint64_t early = 0, late = 0;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const std::vector<uint32_t> delays = DelaysOf(Started(seed), 10'000);
    for (size_t i = 0; i < delays.size(); ++i) {
      if (delays[i] != 0) ++(i < 100 ? early : late);
    }
  }
  EXPECT_GT(early, 0u);
  EXPECT_GT(late, 0u);
  EXPECT_LT(late, 2 * early);
}

TEST(Perturbation, WhatIsDueIsTakenOnce) {
  Perturbation perturbation = Started(5);
  EXPECT_TRUE(perturbation.TakeFirst());
  EXPECT_FALSE(perturbation.TakeFirst());
  EXPECT_FALSE(perturbation.TakeDue());
  perturbation.SetDue();
  EXPECT_TRUE(perturbation.TakeDue());
  EXPECT_FALSE(perturbation.TakeDue());
}

TEST(Perturbation, AnAdoptedThreadHasNoFirstAccess) {
  Perturbation perturbation;
  perturbation.Begin(5, /*started=*/false);
  EXPECT_FALSE(perturbation.TakeFirst());
}

}  // namespace
}  // namespace fthreadprof::race
