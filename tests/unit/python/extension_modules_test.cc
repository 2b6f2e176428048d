#include "python/extension_modules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "python/gil_option.h"
#include "unit/python/fake_modules.h"

namespace fthreadprof {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ExtensionModulesTest : public testing::TestWithParam<const char*> {
 protected:
  FakeMemory memory_;
  FakeTarget target_{memory_, TargetOffsets(GetParam())};
  FakeModules fake_{target_};
  ExtensionModules modules_{memory_, target_.offsets()};
};

TEST_P(ExtensionModulesTest, ListsThoseInCWithWhatTheyDeclare) {
  fake_.Import("sys", "", true);
  fake_.ImportPython("json");
  fake_.Import("fast", "/fast.so", true);
  fake_.Import("old", "/old.so", false);
  const auto read = modules_.Read(fake_.interpreter());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(*read, ElementsAre(ExtensionModule{"sys", "", true},
                                 ExtensionModule{"fast", "/fast.so", true},
                                 ExtensionModule{"old", "/old.so", false}));
}

TEST_P(ExtensionModulesTest, SkipsWhatWasThereBefore) {
  fake_.Import("fast", "/fast.so", true);
  ASSERT_TRUE(modules_.SkipPresent(fake_.interpreter()).ok());
  EXPECT_THAT(*modules_.Read(fake_.interpreter()), IsEmpty());
  fake_.Import("old", "/old.so", false);
  EXPECT_THAT(*modules_.Read(fake_.interpreter()),
              ElementsAre(ExtensionModule{"old", "/old.so", false}));
}

TEST_P(ExtensionModulesTest, TheOptionIsRead) {
  const auto forced = [&] {
    return IsGilForcedOn(memory_, target_.offsets(), fake_.interpreter());
  };
  EXPECT_FALSE(*forced());
  fake_.SetFlag(true);
  EXPECT_TRUE(*forced());
  const uint64_t slot = fake_.interpreter().address() + target_.offsets().interpreter_state.sysdict;
  memory_.Write<uint64_t>(slot, 0);
  EXPECT_TRUE(absl::IsUnavailable(forced().status())) << "it starts";
  memory_.Write<uint64_t>(slot, 0x1234);
  EXPECT_TRUE(absl::IsDataLoss(forced().status()));
}

INSTANTIATE_TEST_SUITE_P(Releases, ExtensionModulesTest,
                         testing::Values("3.13.5t", "3.14.8t", "3.15.0t"));

}  // namespace
}  // namespace fthreadprof
