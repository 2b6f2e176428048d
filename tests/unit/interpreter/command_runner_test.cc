#include "interpreter/command_runner.h"

#include <signal.h>

#include <chrono>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "unit/interpreter/temporary_directory.h"

namespace fthreadprof {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

Command Shell(const std::string& line) {
  Command command;
  command.arguments = {"sh", "-c", line};
  return command;
}

TEST(RunCommandTest, CapturesOutputAndExitStatus) {
  const auto result = RunCommand(Shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_status, 3);
  EXPECT_EQ(result->output, "out\n");
}

TEST(RunCommandTest, ReportsASignalAsAShellDoes) {
  const auto result = RunCommand(Shell("kill -TERM $$"));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_status, 128 + SIGTERM);
}

TEST(RunCommandTest, BoundsWhatItCaptures) {
  const auto result = RunCommand(Shell("yes | head -c 5000000"));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_status, 0);
  EXPECT_EQ(result->output.size(), kMaxCapturedBytes);
}

TEST(RunCommandTest, AppendsBothOutputsToTheLogInItsDirectory) {
  const TemporaryDirectory directory;
  Command command = Shell("pwd; echo problem >&2");
  command.directory = directory.path();
  command.log_file = WriteTextFile(directory.path() / "log", "before\n");
  ASSERT_TRUE(RunCommand(command).ok());
  EXPECT_EQ(ReadWholeFile(command.log_file),
            "before\n" + directory.path().string() + "\nproblem\n");
}

TEST(RunCommandTest, NamesAProgramThatDoesNotExist) {
  Command command;
  command.arguments = {"fthreadprof-no-such-program"};
  const auto result = RunCommand(command);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("fthreadprof-no-such-program"));
}

TEST(RunCommandTest, FailsWhenTheLogCannotBeWritten) {
  Command command = Shell("true");
  command.log_file = "/nonexistent/log";
  EXPECT_EQ(RunCommand(command).status().code(), absl::StatusCode::kUnavailable);
}

TEST(RunCommandTest, KillsTheWholeGroupAtTheDeadline) {
  const TemporaryDirectory directory;
  const std::filesystem::path pid_file = directory.path() / "pid";
  Command command = Shell("sleep 60 & echo $! >" + pid_file.string() + "; wait");
  command.timeout = milliseconds(500);
  EXPECT_EQ(RunCommand(command).status().code(), absl::StatusCode::kDeadlineExceeded);
  const pid_t grandchild = std::stoi(ReadWholeFile(pid_file));
  // A signal has been sent; on a busy machine its receiver dies when it gets a CPU. Then it is
  // gone, or a zombie that whoever inherited it has not reaped yet. Its own end is much later.
  const steady_clock::time_point deadline = steady_clock::now() + std::chrono::seconds(20);
  std::string status;
  do {
    status = ReadWholeFile("/proc/" + std::to_string(grandchild) + "/status");
  } while (!status.empty() && status.find("State:\tZ") == std::string::npos &&
           steady_clock::now() < deadline);
  EXPECT_LT(steady_clock::now(), deadline) << status;
}

TEST(RunCommandTest, DoesNotWaitForADaemonThatHoldsTheOutput) {
  const steady_clock::time_point start = steady_clock::now();
  const auto result = RunCommand(Shell("echo first; setsid sleep 20 & exit 0"));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->output, "first\n");
  EXPECT_LT(steady_clock::now() - start, seconds(15));
}

TEST(RunCommandTest, TicksWhileTheProgramRuns) {
  int ticks = 0;
  Command command = Shell("sleep 2.5");
  command.on_tick = [&ticks] { ++ticks; };
  ASSERT_TRUE(RunCommand(command).ok());
  EXPECT_GE(ticks, 1);
}

TEST(FindProgramTest, FindsOnlyExecutableFiles) {
  const TemporaryDirectory directory;
  WriteTextFile(directory.path() / "plain", "");
  EXPECT_TRUE(FindProgram("sh").is_absolute());
  EXPECT_EQ(FindProgram(directory.path() / "plain"), "");
  EXPECT_EQ(FindProgram(directory.path()), "");
  const std::filesystem::path script = WriteScript(directory.path() / "script", "true");
  EXPECT_EQ(FindProgram(script), script);
}

}  // namespace
}  // namespace fthreadprof
