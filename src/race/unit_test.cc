#include "race/unit_test.h"

#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "race/report_parts.h"

namespace fthreadprof {
namespace {

constexpr size_t kMaxCalls = 4096;
constexpr int kMaxThreads = 64;  // that started each other

// unittest/case.py, TestCase._callTestMethod: calls the test method and nothing else.
bool CallsTest(const LoggedCode& code) {
  return code.function == "TestCase._callTestMethod" &&
         absl::EndsWith(code.file, "/unittest/case.py");
}

// nullptr: the place is in no test.
const LoggedCode* UnitTestIn(const RaceLog& log, LoggedPlace place) {
  const LoggedCode* callee = nullptr;
  size_t frames = 0;
  for (auto node = log.nodes.find(place.node); node != log.nodes.end() && ++frames < kMaxCalls;
       node = log.nodes.find(node->second.caller.node)) {
    const LoggedCode* code = node->second.code;
    if (code != nullptr && CallsTest(*code)) return callee;
    callee = code;
  }
  return nullptr;
}

}  // namespace

std::string UnitTestOf(const RaceLog& log, const LoggedAccess& access,
                       const std::string& directory) {
  const LoggedCode* test = UnitTestIn(log, access.place);
  auto thread = log.threads.find(access.thread);
  for (int i = 0; test == nullptr && thread != log.threads.end() && i < kMaxThreads; ++i) {
    test = UnitTestIn(log, thread->second.started_at);
    thread = log.threads.find(thread->second.started_by);
  }
  if (test == nullptr) return "";
  return absl::StrCat(PathBelow(directory, test->file),
                      "::", absl::StrReplaceAll(test->function, {{".", "::"}}));
}

}  // namespace fthreadprof
