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
  // A place in a method that has one argument beside self, as append() has.
  LoggedPlace InMethod(const std::string& code_of, const std::string& name, ObjectKind kind,
                       bool writes, const LoggedPlace& caller, const std::string& file,
                       const std::string& self = "self", uint32_t flags = 0) {
    LoggedCode code = BytecodeOf(GetParam()).code(code_of);
    if (!file.empty()) code.file = file;
    code.function = name;
    code.flags = flags;
    code.locals.at(0).name = self;
    if (code.argument_count == 1) {
      code.locals.insert(code.locals.begin() + 1, code.locals.at(0));
      code.locals.at(1).name = "x";
      code.argument_count = 2;
    }
    return {sample_.builder.Node(sample_.builder.Code(code), caller),
            sample_.Offset(code_of, kind, writes)};
  }
  // The place where a method calls `self.log.append(1)`; the user's own, unless there is a file.
  LoggedPlace MethodCall(const std::string& file = "", LoggedPlace caller = {kOutsidePython, 0},
                         const std::string& name = "Stats.append") {
    return InMethod("Stats.shared_list", name, ObjectKind::kList, true, caller, file);
  }
  LoggedPlace FunctionCall() {
    return {sample_.AddFunction("c_function"),
            sample_.Offset("c_function", ObjectKind::kList, false, 2)};
  }
  LoggedPlace Method(LoggedPlace caller, const std::string& name = "Stats.append",
                     const std::string& self = "self") {
    return InMethod("Stats.increment", name, ObjectKind::kInstance, true, caller, kInLibrary, self);
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
  EXPECT_FALSE(IsOwn(Method(MethodCall(), "Stats.append", "cls")));
  EXPECT_FALSE(IsOwn(Method(MethodCall(), "Stats.__init__")));
  EXPECT_FALSE(IsOwn(Method(FunctionCall())));
}

// hasattr(self, "cache") stands for Base.grow(self, x).
TEST_P(ObjectOriginTest, SelfMayBeAnArgument) {
  const LoggedPlace call = InMethod("Stats.by_hasattr", "Stats.append", ObjectKind::kInstance,
                                    false, MethodCall(), kInLibrary);
  const LoggedPlace grow = {sample_.AddFunction("Stats.grow", call, kInLibrary),
                            sample_.Offset("Stats.grow", ObjectKind::kInstance, true)};
  EXPECT_TRUE(IsOwn(grow));
  // It has no second argument, so it was called in another way.
  const LoggedPlace increment = {sample_.AddFunction("Stats.increment", call, kInLibrary),
                                 sample_.Offset("Stats.increment", ObjectKind::kInstance, true)};
  EXPECT_FALSE(IsOwn(increment));
}

// `self.log.append(1)` that calls a method of something else.
TEST_P(ObjectOriginTest, ABoundMethodByAnotherNameHasASelfOfItsOwn) {
  EXPECT_FALSE(IsOwn(Method(MethodCall(), "Stats.flush")));
  EXPECT_FALSE(IsOwn(Method(MethodCall(), "Stats.__call__")));
  EXPECT_TRUE(IsOwn(Method(MethodCall(), "Stats.__iadd__")));
}

// `self.hits` calls __get__(self, owner): the owner is the user's, the descriptor is not.
TEST_P(ObjectOriginTest, ADescriptorIsHandedItsOwner) {
  const LoggedPlace load = sample_.At("Stats.increment", ObjectKind::kInstance, false);
  const auto get = [&](bool writes) {
    return InMethod("Stats.of_another_object", "cached.__get__", ObjectKind::kInstance, writes,
                    load, kInLibrary);
  };
  EXPECT_TRUE(IsOwn(get(/*writes=*/false)));  // other.hits
  EXPECT_FALSE(IsOwn(get(/*writes=*/true)));  // self.hits
}

TEST_P(ObjectOriginTest, CollectedArgumentsAreTheUsers) {
  constexpr uint32_t kVarArguments = 0x04;
  const auto read = [&](const LoggedPlace& caller) {
    return InMethod("Stats.of_another_object", "Stats.append", ObjectKind::kInstance, false, caller,
                    kInLibrary, "self", kVarArguments);
  };
  EXPECT_TRUE(IsOwn(read(MethodCall())));
  EXPECT_FALSE(IsOwn(read(MethodCall(kInLibrary))));
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
