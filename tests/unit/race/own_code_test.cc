#include "race/own_code.h"

#include <gtest/gtest.h>

namespace fthreadprof {
namespace {

constexpr char kPackage[] = "/venv/lib/python3.13t/site-packages/flask/app.py";
constexpr char kDebianPackage[] = "/usr/lib/python3/dist-packages/yaml/__init__.py";
constexpr char kThreadingFile[] = "/usr/lib/python3.13/threading.py";

TEST(StandardLibrary, IsWhatLiesBesideTheInterpreter) {
  EXPECT_TRUE(IsStandardLibrary(kThreadingFile));
  EXPECT_TRUE(IsStandardLibrary("/opt/py/lib/python3.13t/collections/__init__.py"));
  EXPECT_TRUE(IsStandardLibrary("<frozen importlib._bootstrap>"));
  EXPECT_FALSE(IsStandardLibrary(kPackage));
  EXPECT_FALSE(IsStandardLibrary(kDebianPackage));
  EXPECT_FALSE(IsStandardLibrary("/home/me/app.py"));
  EXPECT_FALSE(IsStandardLibrary("<string>"));
  EXPECT_FALSE(IsStandardLibrary(""));
}

TEST(OwnCodeTest, IsAllButWhatIsInstalled) {
  const OwnCode own;
  EXPECT_TRUE(own.IsOwn("/home/me/app.py"));
  EXPECT_TRUE(own.IsOwn("app.py"));
  EXPECT_TRUE(own.IsOwn("<string>"));
  EXPECT_FALSE(own.IsOwn(kPackage));
  EXPECT_FALSE(own.IsOwn(kDebianPackage));
  EXPECT_FALSE(own.IsOwn(kThreadingFile));
  EXPECT_FALSE(own.IsOwn("<frozen importlib._bootstrap>"));
}

TEST(OwnCodeTest, IncludeAddsAndExcludeTakesAway) {
  const OwnCode own({"flask", "threading.py"}, {"tests/*", "flask/json/*"});
  EXPECT_TRUE(own.IsOwn(kPackage));
  EXPECT_TRUE(own.IsOwn(kThreadingFile));
  EXPECT_FALSE(own.IsOwn("/venv/lib/python3.13t/site-packages/flask/json/tag.py"));
  EXPECT_FALSE(own.IsOwn(kDebianPackage));
  EXPECT_TRUE(own.IsOwn("/home/me/app.py"));
  EXPECT_FALSE(own.IsOwn("/home/me/tests/test_app.py"));
}

TEST(OwnCodeTest, AStarIncludesEverything) {
  const OwnCode own({"*"}, {});
  for (const char* file :
       {kPackage, kDebianPackage, kThreadingFile, "<frozen zipimport>", "a.py"}) {
    EXPECT_TRUE(own.IsOwn(file)) << file;
  }
}

}  // namespace
}  // namespace fthreadprof
