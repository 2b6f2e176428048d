#include "race/object_origin.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "unit/race/sample_log.h"

namespace fthreadprof {
namespace {

using race_log::ObjectKind;

constexpr char kInLibrary[] = "/usr/lib/python3.13/weakref.py";

// `self.hits += 1` of a method in the library, whose callers the tests make up.
class ObjectOriginTest : public testing::TestWithParam<std::string> {
 protected:
  // The place where the user's code calls `self.log.append(1)`, be append what it is.
  LoggedPlace MethodCall(const std::string& file = "", LoggedPlace caller = {kOutsidePython, 0}) {
    return {sample_.AddFunction("Stats.shared_list", caller, file),
            sample_.Offset("Stats.shared_list", ObjectKind::kList, true)};
  }
  LoggedPlace FunctionCall() {
    return {sample_.AddFunction("c_function"),
            sample_.Offset("c_function", ObjectKind::kList, false, 2)};
  }
  LoggedPlace Method(LoggedPlace caller, const std::string& name = "Stats.increment",
                     const std::string& self = "self") {
    LoggedCode code = BytecodeOf(GetParam()).code("Stats.increment");
    code.file = kInLibrary;
    code.function = name;
    code.locals.at(0).name = self;
    return {sample_.builder.Node(sample_.builder.Code(code), caller),
            sample_.Offset("Stats.increment", ObjectKind::kInstance, true)};
  }
  bool IsOwn(LoggedPlace place, ObjectKind kind = ObjectKind::kInstance,
             const OwnCode& own = OwnCode()) {
    const AccessLiteral access = {kFirstWorker, true, "attribute.store", place};
    sample_.builder.Race({.object_kind = kind,
                          .type = "Stats",
                          .key = "hits",
                          .earlier = access,
                          .later = {kSecondWorker, true, "attribute.store", {kOutsidePython, 0}}});
    const std::unique_ptr<RaceLog> log = sample_.Read();
    LogAnalysis analysis(*log);
    ObjectOrigin origin(analysis, own);
    EXPECT_FALSE(origin.IsOwnAccess(log->races.back().later));
    return origin.IsOwnObject(log->races.back());
  }

  SampleLog sample_{GetParam()};
};

TEST_P(ObjectOriginTest, WhatTheUsersCodeCallsAMethodOfIsTheUsers) {
  EXPECT_TRUE(IsOwn(Method(MethodCall())));
  EXPECT_FALSE(IsOwn(Method(MethodCall()), ObjectKind::kInstance, OwnCode({}, {"*"})));
  EXPECT_FALSE(IsOwn(Method({kOutsidePython, 0})));
  EXPECT_FALSE(IsOwn(Method({kUnknownNode, 0})));
}

TEST_P(ObjectOriginTest, FollowsSelfThroughTheLibrary) {
  EXPECT_TRUE(IsOwn(Method(MethodCall(kInLibrary, MethodCall()))));
  EXPECT_FALSE(IsOwn(Method(MethodCall(kInLibrary))));
  EXPECT_FALSE(IsOwn(Method(MethodCall(kInLibrary, FunctionCall()))));
}

TEST_P(ObjectOriginTest, ClassesAndWhatIsBeingMadeAreTheLibrarys) {
  EXPECT_FALSE(IsOwn(Method(MethodCall()), ObjectKind::kClass));
  EXPECT_FALSE(IsOwn(Method(MethodCall(), "Stats.make", "cls")));
  EXPECT_FALSE(IsOwn(Method(MethodCall(), "Stats.__init__")));
  EXPECT_FALSE(IsOwn(Method(FunctionCall())));
}

// hasattr(self, "cache") stands for Base.grow(self, x).
TEST_P(ObjectOriginTest, SelfMayBeAnArgument) {
  const LoggedPlace call = {sample_.AddFunction("Stats.by_hasattr", MethodCall(), kInLibrary),
                            sample_.Offset("Stats.by_hasattr", ObjectKind::kInstance, false)};
  const LoggedPlace grow = {sample_.AddFunction("Stats.grow", call, kInLibrary),
                            sample_.Offset("Stats.grow", ObjectKind::kInstance, true)};
  EXPECT_TRUE(IsOwn(grow));
  // It has no second argument, so it was called in another way.
  EXPECT_FALSE(IsOwn(Method(call)));
}

TEST_P(ObjectOriginTest, AnAccessIsOwnByItsInnermostFrame) {
  const RaceLiteral race = {
      .earlier = {kFirstWorker, true, "attribute.store", MethodCall()},
      .later = {kSecondWorker, true, "attribute.store", Method(MethodCall())}};
  sample_.builder.Race(race);
  const std::unique_ptr<RaceLog> log = sample_.Read();
  LogAnalysis analysis(*log);
  const OwnCode own;
  EXPECT_TRUE(ObjectOrigin(analysis, own).IsOwnAccess(log->races[0].earlier));
  EXPECT_FALSE(ObjectOrigin(analysis, own).IsOwnAccess(log->races[0].later));
  const OwnCode with_library({"weakref.py"}, {});
  EXPECT_TRUE(ObjectOrigin(analysis, with_library).IsOwnAccess(log->races[0].later));
  // Nobody knows whose it is.
  EXPECT_TRUE(ObjectOrigin(analysis, own).IsOwnAccess(LoggedAccess()));
}

INSTANTIATE_TEST_SUITE_P(Versions, ObjectOriginTest, testing::Values("3.13t", "3.14", "3.15"),
                         [](const auto& info) {
                           return "Python" + info.param.substr(0, 1) + "_" + info.param.substr(2);
                         });

}  // namespace
}  // namespace fthreadprof
