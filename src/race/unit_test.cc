#include "race/unit_test.h"

#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace fthreadprof {
namespace {

constexpr size_t kMaxFrames = 4096;
constexpr int kMaxThreads = 64;  // that started each other

// unittest/case.py, TestCase._callTestMethod: calls the test method and nothing else.
bool CallsTest(const LoggedCode& code) {
  return code.function == "TestCase._callTestMethod" &&
         absl::EndsWith(code.file, "/unittest/case.py");
}

std::string UnitTestIn(const RaceLog& log, LoggedPlace place) {
  const LoggedCode* callee = nullptr;
  size_t frames = 0;
  for (auto node = log.nodes.find(place.node); node != log.nodes.end() && ++frames < kMaxFrames;
       node = log.nodes.find(node->second.caller.node)) {
    const LoggedCode* code = node->second.code;
    if (code != nullptr && callee != nullptr && CallsTest(*code)) {
      return callee->module.empty() ? callee->function
                                    : absl::StrCat(callee->module, ".", callee->function);
    }
    callee = code;
  }
  return "";
}

}  // namespace

std::string UnitTestOf(const RaceLog& log, const LoggedAccess& access) {
  std::string test = UnitTestIn(log, access.place);
  auto thread = log.threads.find(access.thread);
  for (int i = 0; test.empty() && thread != log.threads.end() && i < kMaxThreads; ++i) {
    test = UnitTestIn(log, thread->second.started_at);
    thread = log.threads.find(thread->second.started_by);
  }
  return test;
}

}  // namespace fthreadprof
