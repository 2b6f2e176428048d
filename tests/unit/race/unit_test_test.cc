#include "race/unit_test.h"

#include <gtest/gtest.h>

#include <string>

#include "unit/race/sample_log.h"

namespace fthreadprof {
namespace {

// A test method that was called by unittest, which calls `helper`, which starts a thread.
class UnitTestOfTest : public testing::Test {
 protected:
  uint32_t Node(const std::string& file, const std::string& function, uint32_t caller) {
    LoggedCode code;
    code.file = file;
    code.function = function;
    return sample_.builder.Node(sample_.builder.Code(code), {caller, 0});
  }

  std::string Of(uint32_t thread, uint32_t node) const {
    LoggedAccess access;
    access.thread = thread;
    access.place = {node, 0};
    return UnitTestOf(*sample_.Read(), access, "/home/me");
  }

  SampleLog sample_;
  uint32_t call_ =
      Node("/usr/lib/python3.13/unittest/case.py", "TestCase._callTestMethod", kOutsidePython);
  uint32_t test_ = Node("/home/me/test_app.py", "StatsTest.test_hits", call_);
  uint32_t helper_ = Node("/home/me/app.py", "helper", test_);
  uint32_t worker_ = Node("/home/me/app.py", "worker", kOutsidePython);
};

TEST_F(UnitTestOfTest, TheMethodThatUnittestCalls) {
  EXPECT_EQ(Of(kMainThread, helper_), "test_app.py::StatsTest::test_hits");
  EXPECT_EQ(Of(kMainThread, test_), "test_app.py::StatsTest::test_hits");
  EXPECT_EQ(Of(kMainThread, call_), "");
  EXPECT_EQ(Of(kMainThread, worker_), "");
}

TEST_F(UnitTestOfTest, AThreadIsInTheTestThatStartedIt) {
  sample_.builder.Thread(7, 4717, "", kMainThread, {helper_, 0});
  sample_.builder.Thread(8, 4718, "", 7, {worker_, 0});
  EXPECT_EQ(Of(7, worker_), "test_app.py::StatsTest::test_hits");
  EXPECT_EQ(Of(8, worker_), "test_app.py::StatsTest::test_hits");
}

TEST_F(UnitTestOfTest, ThreadsThatAreSaidToStartEachOtherEnd) {
  sample_.builder.Thread(7, 4717, "", 8, {worker_, 0});
  sample_.builder.Thread(8, 4718, "", 7, {worker_, 0});
  EXPECT_EQ(Of(7, worker_), "");
}

TEST_F(UnitTestOfTest, ANamesakeElsewhereIsNoUnittest) {
  const uint32_t other = Node("/home/me/case.py", "TestCase._callTestMethod", kOutsidePython);
  EXPECT_EQ(Of(kMainThread, Node("/home/me/test_app.py", "f", other)), "");
}

}  // namespace
}  // namespace fthreadprof
