#include "process/os_process.h"

#include <linux/sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "process/child_process.h"
#include "process/os_thread.h"
#include "process/proc_file.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

TEST(OsProcess, TellsOfOurselves) {
  auto process = OsProcess::Open(getpid());
  ASSERT_TRUE(process.ok());
  EXPECT_EQ(process->pid(), getpid());
  EXPECT_EQ(process->uid(), geteuid());
  EXPECT_TRUE(process->IsAlive());
  EXPECT_TRUE(process->Executable().ends_with("process_test"));
  EXPECT_NE(process->CommandLine().find("process_test"), std::string::npos);
  EXPECT_EQ(process->HostTid(getpid()), getpid());
}

TEST(OsProcess, CpuSecondsGrowWithTheCpuUsed) {
  auto process = OsProcess::Open(getpid());
  ASSERT_TRUE(process.ok());
  const auto before = process->CpuSeconds();
  ASSERT_TRUE(before.ok());
  volatile uint64_t sum = 0;
  while (*process->CpuSeconds() < *before + 0.02) sum = sum + 1;
  EXPECT_GT(sum, 0u);
}

TEST(OsProcess, NoProcessIsNotFound) {
  for (const pid_t pid : {0x7fff'fffe, 0, -1}) {
    EXPECT_TRUE(absl::IsNotFound(OsProcess::Open(pid).status())) << pid;
  }
}

TEST(OsProcess, AZombieIsNotAlive) {
  auto child = ChildProcess::Start({"true"});
  ASSERT_TRUE(child.ok());
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child->pid()), &info, WEXITED | WNOWAIT), 0);
  auto process = OsProcess::Open(child->pid());
  if (process.ok()) {
    EXPECT_FALSE(process->IsAlive());
  }
  EXPECT_EQ(child->Wait(), 0);
  EXPECT_TRUE(absl::IsNotFound(OsProcess::Open(child->pid()).status()));
  if (process.ok()) {
    EXPECT_FALSE(process->IsAlive());
    EXPECT_TRUE(absl::IsNotFound(process->CpuSeconds().status()));
    EXPECT_EQ(process->Executable(), "");
    EXPECT_EQ(process->CommandLine(), "");
  }
}

// A child with the process id `pid`, or any when it is 0, that waits to be killed. -1 when it can't
// be had: that takes root.
pid_t StartWithPid(pid_t pid) {
  struct clone_args arguments = {};
  arguments.exit_signal = SIGCHLD;
  if (pid != 0) {
    arguments.set_tid = reinterpret_cast<uint64_t>(&pid);
    arguments.set_tid_size = 1;
  }
  const auto child = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
  if (child == 0) {
    for (;;) pause();
  }
  return child;
}

TEST(OsProcess, AnotherProcessWithItsPidIsNotTheSame) {
  const pid_t pid = StartWithPid(0);
  ASSERT_GT(pid, 0);
  const auto process = OsProcess::Open(pid);
  ASSERT_TRUE(process.ok());
  const auto stop = [pid] {
    kill(pid, SIGKILL);
    ASSERT_EQ(waitpid(pid, nullptr, 0), pid);
  };
  // The kernel counts start times in ticks of 10 ms: the next one must begin later.
  const std::string stat = "/proc/" + std::to_string(pid) + "/stat";
  const auto first = ReadProcStat(stat);
  for (uint64_t start_time = first->start_time; start_time == first->start_time;) {
    EXPECT_TRUE(process->IsAlive());
    stop();
    if (StartWithPid(pid) != pid) GTEST_SKIP() << "only root may choose a process id";
    start_time = ReadProcStat(stat)->start_time;
  }
  EXPECT_FALSE(process->IsAlive());
  stop();
}

// A pid namespace of its own: its thread ids are not ours.
TEST(OsProcess, MapsThreadIdsOfAnotherNamespace) {
  auto child = ChildProcess::Start({"unshare", "--pid", "--fork", "--kill-child", "sleep", "60"});
  ASSERT_TRUE(child.ok());
  pid_t sleeper = 0;
  for (int i = 0; i < 5000 && sleeper == 0; ++i) {
    const auto children = ReadProcFile("/proc/" + std::to_string(child->pid()) + "/task/" +
                                       std::to_string(child->pid()) + "/children");
    if (children.ok()) sleeper = atoi(children->c_str());
    if (sleeper == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (sleeper == 0) {
    kill(child->pid(), SIGKILL);
    child->Wait();
    GTEST_SKIP() << "no pid namespaces here";
  }
  auto process = OsProcess::Open(sleeper);
  ASSERT_TRUE(process.ok());
  EXPECT_EQ(process->HostTid(1), sleeper);
  EXPECT_EQ(process->HostTid(1), sleeper) << "remembered";
  EXPECT_FALSE(process->HostTid(sleeper));
  kill(sleeper, SIGKILL);
  child->Wait();
  EXPECT_FALSE(process->HostTid(1));
}

TEST(ChildProcess, ExitStatusIsAsAShellHasIt) {
  const auto run = [](const std::vector<std::string>& argv) {
    auto child = ChildProcess::Start(argv);
    EXPECT_TRUE(child.ok()) << child.status();
    return child.ok() ? child->Wait() : -1;
  };
  EXPECT_EQ(run({"true"}), 0);
  EXPECT_EQ(run({"/bin/sh", "-c", "exit 42"}), 42);
  EXPECT_EQ(run({"sh", "-c", "kill -TERM $$"}), 128 + SIGTERM);
  EXPECT_EQ(run({"sh", "-c", "test \"$1\" = 'a b'", "sh", "a b"}), 0);
}

TEST(ChildProcess, WhatCannotRunIsSaid) {
  EXPECT_TRUE(absl::IsNotFound(ChildProcess::Start({"no-such-program-anywhere"}).status()));
  EXPECT_TRUE(absl::IsNotFound(ChildProcess::Start({"/no/such/path"}).status()));
  const auto directory = ChildProcess::Start({"/tmp"}).status();
  EXPECT_TRUE(absl::IsPermissionDenied(directory)) << directory;
  EXPECT_TRUE(absl::IsPermissionDenied(ChildProcess::Start({"/etc/passwd"}).status()));
}

TEST(ProcStat, CommandNamesMayHoldAnything) {
  const std::string rest = " 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 9876543 1 2 3";
  for (const char* comm : {"python", "a b", ") Z (", "((", ""}) {
    const auto stat = ParseProcStat("17 (" + std::string(comm) + ") S" + rest);
    ASSERT_TRUE(stat.ok()) << comm;
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->start_time, 9876543u);
    EXPECT_FALSE(stat->has_ended());
  }
  EXPECT_TRUE(ParseProcStat("17 (x) Z" + rest)->has_ended());
  for (const char* text : {"", "17", "17 (x)", "17 (x) S", "17 (x) S 1 2 3", "17 x S 1"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseProcStat(text).status())) << text;
  }
}

TEST(ProcStat, HostileTextIsNoStatOrASoundOne) {
  const std::string good =
      "17 (a) b) S 16 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 9876543 1 2 3\n";
  std::mt19937 random(7);
  int refused = 0;
  for (int round = 0; round < Repetitions(20'000); ++round) {
    std::string text = good;
    for (int i = 0; i < 4; ++i) text[random() % text.size()] = static_cast<char>(random());
    if (round % 3 == 0) text.resize(random() % text.size());
    const auto stat = ParseProcStat(text);
    if (stat.ok()) continue;
    ++refused;
    EXPECT_TRUE(absl::IsInvalidArgument(stat.status()));
    EXPECT_EQ(stat.status().message(), "not the text of a stat file");
  }
  EXPECT_GT(refused, 0);
  EXPECT_FALSE(ParseProcStat("1 (x) S " + std::string(1'000'000, '9')).ok());
  EXPECT_FALSE(ParseProcStat(std::string(1'000'000, ')')).ok());
}

// That there is no file descriptor left is no sign that a process has ended.
TEST(OsProcess, StaysAliveWhenNoFileCanBeOpened) {
  auto process = OsProcess::Open(getpid());
  ASSERT_TRUE(process.ok());
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const bool alive = process->IsAlive();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(alive);
}

TEST(ProcFile, ReadsWholeFilesAndNamesWhatIsMissing) {
  const auto own = ReadProcFile("/proc/self/maps");
  ASSERT_TRUE(own.ok());
  EXPECT_TRUE(own->ends_with('\n'));
  // Longer than one read gives.
  const auto symbols = ReadProcFile("/proc/kallsyms");
  if (symbols.ok() && !symbols->empty()) {
    EXPECT_TRUE(symbols->ends_with('\n'));
  }
  const auto none = ReadProcFile("/proc/2147483646/maps").status();
  EXPECT_TRUE(absl::IsNotFound(none));
  EXPECT_NE(none.message().find("/proc/2147483646/maps"), absl::string_view::npos);
  EXPECT_TRUE(ReadProcFile("/proc/self/environ").ok());
  EXPECT_FALSE(ReadProcFile("/proc/self").ok()) << "a directory";
}

}  // namespace
}  // namespace fthreadprof
