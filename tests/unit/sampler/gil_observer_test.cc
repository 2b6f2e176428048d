// GilObserver over the passes of a fake target. That it sees imports in progress is tested on real
// interpreters: tests/integration/test_gil_record.py.
#include "sampler/gil_observer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/python/fake_modules.h"

namespace fthreadprof {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int32_t kOff = 0;
constexpr int32_t kForAMoment = 1;
constexpr uint64_t kUnreadable = 0x10;

class GilObserverTest : public testing::Test {
 protected:
  GilObserverTest() {
    target_.CallFromC(target_.NewThread(), target_.NewCode("run", 10));
    target_.Finish();
    modules_.Import("sys", "", true);
    modules_.Import("before", "/before.so", true);
  }

  // A pass `at_ms` after the recording began, with the GIL so.
  bool Pass(int32_t enabled, uint64_t at_ms) {
    target_.SetGil(target_.main_interpreter(), enabled, 0, 0);
    EXPECT_TRUE(reader_.ReadPass().ok());
    return observer_.Look(reader_, at_ms * 1000);
  }
  const GilCause& cause() const { return *observer_.cause(); }

  FakeMemory memory_;
  FakeTarget target_{memory_, TargetOffsets("3.13.5t")};
  FakeModules modules_{target_};
  InterpreterReader reader_{memory_, target_.runtime()};
  GilObserver observer_{memory_, target_.offsets()};
};

TEST_F(GilObserverTest, TheMomentsOfImportsAreNoCause) {
  for (uint64_t ms = 0; ms < 100; ++ms) {
    EXPECT_FALSE(Pass(ms % 3 == 1 ? kForAMoment : kOff, ms));
  }
  EXPECT_FALSE(observer_.Finish());
  EXPECT_FALSE(observer_.cause());
}

TEST_F(GilObserverTest, CostsNothingWhileTheGilIsOff) {
  Pass(kOff, 0);
  ASSERT_TRUE(reader_.ReadPass().ok());
  const size_t calls = memory_.calls;
  for (uint64_t ms = 1; ms < 10; ++ms) observer_.Look(reader_, ms * 1000);
  EXPECT_EQ(memory_.calls, calls);
}

TEST_F(GilObserverTest, NamesTheModuleAndWhatElseWasImportedMeanwhile) {
  Pass(kOff, 0);
  Pass(kOff, 1);
  modules_.Import("fine", "/fine.so", true);
  Pass(kOff, 50);
  modules_.Import("built_in", "", true);
  modules_.Import("old", "/old.so", false);
  EXPECT_TRUE(Pass(kGilForGood, 1234));
  EXPECT_EQ(cause().module, "old");
  EXPECT_TRUE(cause().is_certain);
  EXPECT_EQ(cause().at_s, 1.234);
  EXPECT_THAT(cause().stack, IsEmpty());
  EXPECT_THAT(cause().imported, ElementsAre(ImportedModule{"fine", "/fine.so", true},
                                            ImportedModule{"old", "/old.so", false}));
  modules_.Import("later", "/later.so", false);
  EXPECT_FALSE(Pass(kGilForGood, 3000)) << "it is over";
  EXPECT_EQ(cause().module, "old");
}

// The GIL is on before the module is in sys.modules.
TEST_F(GilObserverTest, WaitsForTheModule) {
  Pass(kOff, 0);
  EXPECT_TRUE(Pass(kGilForGood, 20));
  EXPECT_EQ(cause().module, "");
  EXPECT_EQ(cause().at_s, 0.02);
  modules_.Import("old", "/old.so", false);
  EXPECT_FALSE(Pass(kGilForGood, 21)) << "not at every pass";
  EXPECT_TRUE(Pass(kGilForGood, 22));
  EXPECT_EQ(cause().module, "old");
  EXPECT_EQ(cause().at_s, 0.02);
}

// It is turned on behind the pass, but before the modules are looked at that are there.
TEST_F(GilObserverTest, OnSinceTheVeryBeginning) {
  modules_.Import("old", "/old.so", false);
  Pass(kOff, 0);
  EXPECT_TRUE(Pass(kGilForGood, 1));
  EXPECT_EQ(cause().module, "old");
  EXPECT_THAT(cause().imported, IsEmpty());
}

// An import that failed: one that comes long after is not to blame.
TEST_F(GilObserverTest, DoesNotWaitForever) {
  Pass(kOff, 0);
  Pass(kGilForGood, 20);
  Pass(kGilForGood, 2020);
  modules_.Import("old", "/old.so", false);
  EXPECT_FALSE(Pass(kGilForGood, 2040));
  EXPECT_EQ(cause().module, "");
  EXPECT_EQ(cause().at_s, 0.02);
}

TEST_F(GilObserverTest, OnWhenWeCame) {
  modules_.Import("old", "/old.so", false);
  EXPECT_TRUE(Pass(kGilForGood, 5));
  EXPECT_EQ(cause().module, "old");
  EXPECT_TRUE(cause().is_certain);
  EXPECT_EQ(cause().at_s, std::nullopt);
  EXPECT_THAT(cause().imported, IsEmpty());
}

// sys.modules changes while it is read, until the GIL is on.
TEST_F(GilObserverTest, OffWhenWeCameThoughTheModulesCouldNotBeRead) {
  const uint64_t field =
      target_.main_interpreter() + target_.offsets().interpreter_state.imports_modules;
  memory_.Write<uint64_t>(field, kUnreadable);
  EXPECT_FALSE(Pass(kOff, 0));
  EXPECT_FALSE(Pass(kOff, 10));
  modules_.Import("old", "/old.so", false);
  EXPECT_TRUE(Pass(kGilForGood, 20));
  EXPECT_EQ(cause().module, "old");
  EXPECT_EQ(cause().at_s, 0.02);
  EXPECT_THAT(cause().imported, IsEmpty()) << "not known what was there before";
}

TEST_F(GilObserverTest, OnWhenWeCameAndNobodyKnowsWhy) {
  EXPECT_TRUE(Pass(kGilForGood, 5));
  EXPECT_EQ(cause(), GilCause());
  modules_.Import("old", "/old.so", false);
  EXPECT_FALSE(Pass(kGilForGood, 100)) << "it was on before that";
}

TEST_F(GilObserverTest, TheOptionAcquitsTheModules) {
  modules_.SetFlag(true);
  modules_.Import("old", "/old.so", false);
  EXPECT_TRUE(Pass(kGilForGood, 5));
  EXPECT_EQ(cause(), GilCause{.by_option = true});
}

// What happens before the interpreter has read its options is no import.
TEST_F(GilObserverTest, TheOptionIsNoFlip) {
  Pass(kOff, 0);
  modules_.SetFlag(true);
  EXPECT_TRUE(Pass(kGilForGood, 1));
  EXPECT_EQ(cause(), GilCause{.by_option = true});
}

TEST_F(GilObserverTest, AProcessThatEndsIsNoFailure) {
  Pass(kOff, 0);
  target_.SetGil(target_.main_interpreter(), kGilForGood, 0, 0);
  ASSERT_TRUE(reader_.ReadPass().ok());
  memory_.gone = true;
  EXPECT_TRUE(observer_.Look(reader_, 20'000));
  EXPECT_TRUE(observer_.Finish());
  EXPECT_EQ(cause().module, "");
  EXPECT_EQ(cause().at_s, 0.02);
}

}  // namespace
}  // namespace fthreadprof
