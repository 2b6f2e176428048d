// FindPythonRuntime on processes that are no Python; real ones are for tests/integration, the fake
// one with a section .PyRuntime for tests/headers.
#include "python/runtime_locator.h"

#include <signal.h>
#include <unistd.h>

#include "gtest/gtest.h"
#include "process/child_process.h"
#include "process/live_process_memory.h"
#include "unit/process/fake_memory.h"

namespace fthreadprof {
namespace {

TEST(FindPythonRuntime, AProcessWithoutPythonIsNamed) {
  LiveProcessMemory memory(getpid());
  const absl::Status status = FindPythonRuntime(getpid(), memory).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_NE(status.message().find("is not Python"), absl::string_view::npos) << status;
}

TEST(FindPythonRuntime, NoProcessIsNotFound) {
  LiveProcessMemory memory(0x7fff'fffe);
  EXPECT_TRUE(absl::IsNotFound(FindPythonRuntime(0x7fff'fffe, memory).status()));
}

TEST(FindPythonRuntime, AZombieIsNotFoundOrNoPython) {
  auto child = ChildProcess::Start({"true"});
  ASSERT_TRUE(child.ok());
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child->pid()), &info, WEXITED | WNOWAIT), 0);
  LiveProcessMemory memory(child->pid());
  const absl::Status status = FindPythonRuntime(child->pid(), memory).status();
  EXPECT_TRUE(absl::IsNotFound(status) || absl::IsFailedPrecondition(status)) << status;
  child->Wait();
}

TEST(FindPythonRuntime, AProcessThatEndsWhileWeLookIsNotFound) {
  FakeMemory memory;
  memory.gone = true;
  EXPECT_TRUE(absl::IsNotFound(FindPythonRuntime(getpid(), memory).status()));
}

}  // namespace
}  // namespace fthreadprof
