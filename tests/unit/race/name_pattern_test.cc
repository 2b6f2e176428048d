#include "race/name_pattern.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace fthreadprof {
namespace {

TEST(NamePattern, NamesAsAWhole) {
  EXPECT_TRUE(MatchesName("Stats.hits", "Stats.hits"));
  EXPECT_FALSE(MatchesName("Stats.hit", "Stats.hits"));
  EXPECT_FALSE(MatchesName("tats.hits", "Stats.hits"));
  EXPECT_FALSE(MatchesName("stats.hits", "Stats.hits"));
  EXPECT_TRUE(MatchesName("Stats.*", "Stats.hits"));
  EXPECT_TRUE(MatchesName("*.h?ts", "Stats.hits"));
  EXPECT_FALSE(MatchesName("*.h?s", "Stats.hits"));
  EXPECT_TRUE(MatchesName("Stats.*hits*", "Stats.hits"));
  EXPECT_TRUE(MatchesName("*", ""));
  EXPECT_TRUE(MatchesName("**", "x"));
  EXPECT_FALSE(MatchesName("?", ""));
  EXPECT_FALSE(MatchesName("", "x"));
  EXPECT_TRUE(MatchesName("a*b*c", "a_b_b_c"));
  EXPECT_FALSE(MatchesName("a*b*c", "a_c_b"));
}

TEST(NamePattern, BracketsAndBackslashesStandForThemselves) {
  EXPECT_TRUE(MatchesName("counts['a']", "counts['a']"));
  EXPECT_FALSE(MatchesName("counts['a']", "countsa"));
  EXPECT_TRUE(MatchesName("make.<locals>.*", "make.<locals>.<lambda>"));
  EXPECT_TRUE(MatchesName("\\d*", "\\d+"));
}

TEST(NamePattern, ManyStarsTakeNoLongTime) {
  std::string pattern;
  for (int i = 0; i < 30; ++i) pattern += "*a";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(MatchesName(pattern + "b", std::string(20'000, 'a')));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(FilePattern, FromAnyDirectoryOn) {
  EXPECT_TRUE(MatchesFile("app.py", "app.py"));
  EXPECT_TRUE(MatchesFile("app.py", "/home/me/app.py"));
  EXPECT_TRUE(MatchesFile("./app.py", "/home/me/app.py"));
  EXPECT_FALSE(MatchesFile("app.py", "/home/me/myapp.py"));
  EXPECT_FALSE(MatchesFile("app.py", "/home/me/app.pyc"));
  EXPECT_TRUE(MatchesFile("tests/*", "tests/unit/test_x.py"));
  EXPECT_TRUE(MatchesFile("tests/*_x.py", "/home/me/tests/unit/test_x.py"));
  EXPECT_FALSE(MatchesFile("tests/*", "/home/me/mytests/test_x.py"));
  EXPECT_TRUE(MatchesFile("*", "/home/me/app.py"));
  EXPECT_TRUE(MatchesFile("<string>", "<string>"));
}

TEST(FilePattern, ADirectoryIsAllThatIsBelowIt) {
  for (const char* pattern :
       {"cachetools", "cachetools/", "site-packages/cachetools", "/v/lib/*"}) {
    EXPECT_TRUE(MatchesFile(pattern, "/v/lib/site-packages/cachetools/__init__.py")) << pattern;
  }
  EXPECT_FALSE(MatchesFile("cachetools", "/v/lib/site-packages/cachetools_ext/a.py"));
  EXPECT_FALSE(MatchesFile("cachetools", "/v/lib/site-packages/cachetools.py"));
  EXPECT_FALSE(MatchesFile("/lib/*", "/v/lib/a.py"));
}

}  // namespace
}  // namespace fthreadprof
