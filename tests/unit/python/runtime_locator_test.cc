// FindPythonRuntime on processes that are no Python; real ones are for tests/integration, the fake
// one with a section .PyRuntime for tests/headers.
#include "python/runtime_locator.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "process/child_process.h"
#include "process/live_process_memory.h"
#include "unit/process/fake_memory.h"
#include "unit/python/test_offsets.h"

namespace fthreadprof {
namespace {

TEST(FindPythonRuntime, AProcessWithoutPythonIsNamed) {
  LiveProcessMemory memory(getpid());
  const absl::Status status = FindPythonRuntime(getpid(), memory).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_NE(status.message().find("is not Python"), absl::string_view::npos) << status;
}

// The cookie may lie in a process's data by chance, before the table or after it.
TEST(FindPythonRuntime, ACookieWithoutATableIsPassedOver) {
  alignas(8) static std::array<uint8_t, 16384> data = {1};  // not in .bss
  constexpr size_t kTable = 8192;
  constexpr char kCookie[] = "xdebugpy";
  const std::vector<uint64_t> table = CapturedTable("3.14.8");
  data.fill(0xAB);
  for (const size_t at : {size_t{64}, size_t{4096}, size_t{12288}}) {
    std::memcpy(&data[at], kCookie, 8);
  }
  LiveProcessMemory memory(getpid());
  EXPECT_FALSE(FindPythonRuntime(getpid(), memory).ok());
  std::memcpy(&data[kTable], table.data(), table.size() * sizeof table[0]);
  const auto runtime = FindPythonRuntime(getpid(), memory);
  data.fill(0);
  ASSERT_TRUE(runtime.ok()) << runtime.status();
  EXPECT_EQ(runtime->address.address(), reinterpret_cast<uint64_t>(&data[kTable]));
  EXPECT_EQ(runtime->offsets.VersionString(), "3.14.8");
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
