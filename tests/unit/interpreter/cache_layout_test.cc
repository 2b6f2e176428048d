#include "interpreter/cache_layout.h"

#include <stdlib.h>

#include "gtest/gtest.h"

namespace fthreadprof {
namespace {

TEST(CacheLayoutTest, FollowsTheEnvironment) {
  setenv("HOME", "/home/someone", 1);
  unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(CacheLayout::FromEnvironment().top(), "/home/someone/.cache/fthreadprof");
  setenv("XDG_CACHE_HOME", "/elsewhere", 1);
  EXPECT_EQ(CacheLayout::FromEnvironment().top(), "/elsewhere/fthreadprof");
  setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(CacheLayout::FromEnvironment().top(), "/home/someone/.cache/fthreadprof");
  unsetenv("XDG_CACHE_HOME");
}

TEST(CacheLayoutTest, FindsAHomeWithoutTheVariable) {
  unsetenv("HOME");
  EXPECT_TRUE(HomeDirectory().is_absolute());
}

TEST(CacheLayoutTest, KeepsTheFilesOfOneKeyTogether) {
  const CacheLayout cache("/c");
  EXPECT_EQ(cache.Prefix("k"), "/c/interpreters/k");
  EXPECT_EQ(cache.Staging("k"), "/c/interpreters/k.building");
  EXPECT_EQ(cache.Staging("k").extension(), CacheLayout::kStagingSuffix);
  EXPECT_EQ(cache.Log("k"), "/c/interpreters/k.log");
  EXPECT_EQ(cache.Lock("k"), "/c/interpreters/k.lock");
}

}  // namespace
}  // namespace fthreadprof
