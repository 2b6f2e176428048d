// ProcessStopper on real children with threads.
#include "process/process_stopper.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "process/proc_file.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

// What parent and child both see.
struct Shared {
  std::atomic<uint64_t> counts[64];
  std::atomic<int> ready;
  std::atomic<int> threads_started;
  std::atomic<int> signals;
  std::atomic<int> go;
};

Shared* shared = nullptr;

void* Count(void* index) {
  auto& count = shared->counts[reinterpret_cast<uintptr_t>(index) % 64];
  ++shared->threads_started;
  for (;;) count.fetch_add(1, std::memory_order_relaxed);
}

void* CountBriefly(void* index) {
  auto& count = shared->counts[reinterpret_cast<uintptr_t>(index) % 64];
  for (int i = 0; i < 2000; ++i) count.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

void StartThread(void* (*run)(void*), uintptr_t index) {
  pthread_t thread;
  if (pthread_create(&thread, nullptr, run, reinterpret_cast<void*>(index)) == 0) {
    pthread_detach(thread);
  }
}

// A forked child that runs `body`; killed and collected at the end.
class Child {
 public:
  explicit Child(const std::function<void()>& body) {
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      body();
      _exit(0);
    }
  }
  ~Child() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    Wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  int Wait() {
    int status = -1;
    while (waitpid(pid_, &status, __WALL) == pid_ && WIFSTOPPED(status)) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
};

std::string StatusField(pid_t pid, const char* key) {
  const auto text = ReadProcFile(absl::StrCat("/proc/", pid, "/status"));
  if (!text.ok()) return "";
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    if (absl::ConsumePrefix(&line, absl::StrCat(key, ":\t"))) return std::string(line);
  }
  return "";
}

void SleepMs(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// Waits for what another process does; there is no other sign of it. False after ten seconds.
bool Eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 10'000; ++i) {
    if (condition()) return true;
    SleepMs(1);
  }
  return false;
}

std::array<uint64_t, 64> Counts() {
  std::array<uint64_t, 64> counts;
  for (size_t i = 0; i < counts.size(); ++i) counts[i] = shared->counts[i];
  return counts;
}

// Whether any counter moves while others get the CPU.
bool StandsStill() {
  const auto before = Counts();
  SleepMs(3);
  return Counts() == before;
}

class ProcessStopperTest : public testing::Test {
 protected:
  ProcessStopperTest() {
    void* memory =
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared = new (memory) Shared{};
    alarm(60);  // a stopper that hangs fails its test
  }
  ~ProcessStopperTest() override {
    alarm(0);
    munmap(shared, sizeof(Shared));
  }
};

void RunCounters(int threads) {
  for (int i = 1; i < threads; ++i) StartThread(Count, static_cast<uintptr_t>(i));
  while (shared->threads_started < threads - 1) sched_yield();
  shared->ready = 1;
  Count(nullptr);
}

TEST_F(ProcessStopperTest, StoppedMeansThatNoThreadRuns) {
  Child child([] { RunCounters(4); });
  ASSERT_TRUE(Eventually([] { return shared->ready == 1; }));
  {
    ProcessStopper stopper(child.pid(), true);
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(stopper.Stop().ok());
      EXPECT_TRUE(StandsStill()) << i;
      stopper.Resume();
      const auto before = Counts();
      ASSERT_TRUE(Eventually([&] { return Counts() != before; }));
    }
    EXPECT_EQ(StatusField(child.pid(), "TracerPid"), "0") << "it is held only while it is stopped";
    ASSERT_TRUE(stopper.Stop().ok());
    EXPECT_EQ(StatusField(child.pid(), "TracerPid"), absl::StrCat(getpid()));
  }
  EXPECT_EQ(StatusField(child.pid(), "TracerPid"), "0");
  const auto before = Counts();
  EXPECT_TRUE(Eventually([&] { return Counts() != before; }));
}

TEST_F(ProcessStopperTest, LetsGoOfAStoppedProcess) {
  Child child([] { RunCounters(3); });
  ASSERT_TRUE(Eventually([] { return shared->ready == 1; }));
  {
    ProcessStopper stopper(child.pid(), true);
    ASSERT_TRUE(stopper.Stop().ok());
  }
  EXPECT_EQ(StatusField(child.pid(), "TracerPid"), "0");
  const auto before = Counts();
  EXPECT_TRUE(Eventually([&] { return Counts() != before; }));
}

// Threads that start and end at any moment, also between the look at the list and the stop.
TEST_F(ProcessStopperTest, StopsThreadsThatStartMeanwhile) {
  Child child([] {
    StartThread(Count, 1);
    shared->ready = 1;
    for (uintptr_t i = 2;; ++i) StartThread(CountBriefly, i);
  });
  ASSERT_TRUE(Eventually([] { return shared->ready == 1; }));
  ProcessStopper stopper(child.pid(), true);
  for (int i = 0; i < 100; ++i) {
    const absl::Status status = stopper.Stop();
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(StandsStill()) << i;
    stopper.Resume();
  }
}

TEST_F(ProcessStopperTest, SignalsArriveOnceAndAll) {
  Child child([] {
    signal(SIGUSR1, [](int) { ++shared->signals; });
    StartThread(Count, 1);
    shared->ready = 1;
    for (;;) pause();
  });
  ASSERT_TRUE(Eventually([] { return shared->ready == 1; }));
  int sent = 0;
  {
    ProcessStopper stopper(child.pid(), true);
    for (int i = 0; i < 30; ++i) {
      ASSERT_TRUE(stopper.Stop().ok());
      kill(child.pid(), SIGUSR1);
      SleepMs(1);
      EXPECT_EQ(shared->signals, sent) << "a handler ran while stopped";
      ++sent;
      stopper.Resume();
      ASSERT_TRUE(Eventually([&] { return shared->signals == sent; })) << shared->signals;
      // And one while it runs: no look of ours is needed for it to arrive.
      kill(child.pid(), SIGUSR1);
      ++sent;
      if (i % 2 == 0) {
        ASSERT_TRUE(Eventually([&] { return shared->signals == sent; })) << shared->signals;
        continue;
      }
      ASSERT_TRUE(stopper.Stop().ok());  // meets it on its way
      stopper.Resume();
      ASSERT_TRUE(Eventually([&] { return shared->signals == sent; })) << shared->signals;
    }
  }
  EXPECT_TRUE(Eventually([&] { return shared->signals == sent; })) << shared->signals;
}

TEST_F(ProcessStopperTest, ASuspendedProcessStaysSuspended) {
  Child child([] { RunCounters(2); });
  ASSERT_TRUE(Eventually([] { return shared->ready == 1; }));
  kill(child.pid(), SIGSTOP);
  ASSERT_TRUE(Eventually([&] { return StatusField(child.pid(), "State").starts_with('T'); }));
  {
    ProcessStopper stopper(child.pid(), true);
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(stopper.Stop().ok());
      stopper.Resume();
      EXPECT_TRUE(StandsStill());
    }
  }
  EXPECT_TRUE(StandsStill());
  kill(child.pid(), SIGCONT);
  const auto before = Counts();
  EXPECT_TRUE(Eventually([&] { return Counts() != before; }));
}

TEST_F(ProcessStopperTest, ASuspendedProcessCanBeContinuedMeanwhile) {
  Child child([] { RunCounters(2); });
  ASSERT_TRUE(Eventually([] { return shared->ready == 1; }));
  ProcessStopper stopper(child.pid(), true);
  ASSERT_TRUE(stopper.Stop().ok());
  stopper.Resume();
  kill(child.pid(), SIGSTOP);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(stopper.Stop().ok());
    stopper.Resume();
  }
  kill(child.pid(), SIGCONT);
  const auto before = Counts();
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(stopper.Stop().ok());
    stopper.Resume();
    return Counts() != before;
  }));
}

// It ends in between, with threads still running: their ends are ours to collect, the child's is
// not. The order in which its threads are waited for must not matter.
TEST_F(ProcessStopperTest, TheEndOfAChildIsLeftToBeCollected) {
  for (int round = 0; round < Repetitions(20); ++round) {
    new (shared) Shared{};
    Child child([] {
      for (uintptr_t i = 1; i < 6; ++i) StartThread(Count, i);
      while (shared->threads_started < 5) sched_yield();
      shared->ready = 1;
      while (shared->go == 0) sched_yield();
      _exit(7);
    });
    ASSERT_TRUE(Eventually([] { return shared->ready == 1; }));
    ProcessStopper stopper(child.pid(), true);
    ASSERT_TRUE(stopper.Stop().ok());
    stopper.Resume();
    shared->go = 1;
    absl::Status status;
    ASSERT_TRUE(Eventually([&] {
      status = stopper.Stop();
      if (status.ok()) stopper.Resume();
      return !status.ok();
    }));
    EXPECT_TRUE(absl::IsNotFound(status)) << status;
    const int end = child.Wait();
    EXPECT_TRUE(WIFEXITED(end) && WEXITSTATUS(end) == 7) << end;
  }
}

TEST_F(ProcessStopperTest, AChildThatEndsUnderAStopperThatLetsGoCanBeCollected) {
  for (int round = 0; round < Repetitions(20); ++round) {
    new (shared) Shared{};
    Child child([] {
      for (uintptr_t i = 1; i < 6; ++i) StartThread(Count, i);
      while (shared->threads_started < 5) sched_yield();
      shared->ready = 1;
      while (shared->go == 0) sched_yield();
      _exit(7);
    });
    ASSERT_TRUE(Eventually([] { return shared->ready == 1; }));
    {
      ProcessStopper stopper(child.pid(), true);
      ASSERT_TRUE(stopper.Stop().ok());
      stopper.Resume();
      shared->go = 1;
      if (round % 2 == 0) SleepMs(2);
    }
    const int end = child.Wait();
    EXPECT_TRUE(WIFEXITED(end) && WEXITSTATUS(end) == 7) << end;
  }
}

TEST_F(ProcessStopperTest, AKilledProcessIsGoneEvenWhileItIsStopped) {
  Child child([] { RunCounters(3); });
  ASSERT_TRUE(Eventually([] { return shared->ready == 1; }));
  ProcessStopper stopper(child.pid(), true);
  ASSERT_TRUE(stopper.Stop().ok());
  kill(child.pid(), SIGKILL);
  stopper.Resume();
  absl::Status status;
  EXPECT_TRUE(Eventually([&] {
    status = stopper.Stop();
    stopper.Resume();
    return !status.ok();
  }));
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  const int end = child.Wait();
  EXPECT_TRUE(WIFSIGNALED(end) && WTERMSIG(end) == SIGKILL);
}

// pthread_exit in the main thread leaves a zombie that leads threads which run.
TEST_F(ProcessStopperTest, TheMainThreadMayBeOver) {
  Child child([] {
    StartThread(Count, 1);
    while (shared->threads_started < 1) sched_yield();
    shared->ready = 1;
    while (shared->go == 0) sched_yield();
    syscall(SYS_exit, 0);  // of this thread alone
  });
  ASSERT_TRUE(Eventually([] { return shared->ready == 1; }));
  ProcessStopper early(child.pid(), true);
  ASSERT_TRUE(early.Stop().ok());
  early.Resume();
  shared->go = 1;
  ASSERT_TRUE(Eventually([&] { return StatusField(child.pid(), "State").starts_with('Z'); }));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(early.Stop().ok());
    EXPECT_TRUE(StandsStill());
    early.Resume();
  }
}

TEST_F(ProcessStopperTest, AttachesToAProcessWhoseMainThreadIsOver) {
  Child child([] {
    StartThread(Count, 1);
    while (shared->threads_started < 1) sched_yield();
    syscall(SYS_exit, 0);
  });
  ASSERT_TRUE(Eventually([&] { return StatusField(child.pid(), "State").starts_with('Z'); }));
  ProcessStopper stopper(child.pid(), true);
  const absl::Status status = stopper.Stop();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(StandsStill());
}

TEST_F(ProcessStopperTest, AZombieAndNoProcessAreNotFound) {
  Child child([] {});
  ASSERT_TRUE(Eventually([&] { return StatusField(child.pid(), "State").starts_with('Z'); }));
  ProcessStopper zombie(child.pid(), true);
  const absl::Status status = zombie.Stop();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  const pid_t pid = child.pid();
  child.Wait();
  ProcessStopper none(pid, false);
  EXPECT_TRUE(absl::IsNotFound(none.Stop()));
}

TEST_F(ProcessStopperTest, WhatAnotherDebuggerHoldsIsNotPermitted) {
  Child child([] { RunCounters(2); });
  ASSERT_TRUE(Eventually([] { return shared->ready == 1; }));
  Child debugger([&] {
    ProcessStopper stopper(child.pid(), false);
    shared->go = stopper.Stop().ok() ? 1 : 2;
    for (;;) pause();
  });
  ASSERT_TRUE(Eventually([] { return shared->go != 0; }));
  ASSERT_EQ(shared->go, 1);
  ProcessStopper stopper(child.pid(), true);
  EXPECT_TRUE(absl::IsAborted(stopper.Stop()));
}

TEST_F(ProcessStopperTest, FollowsAProgramThatStartsAnother) {
  Child child([] {
    for (uintptr_t i = 1; i < 4; ++i) StartThread(Count, i);
    while (shared->threads_started < 3) sched_yield();
    shared->ready = 1;
    while (shared->go == 0) sched_yield();
    execl("/bin/sleep", "sleep", "60", nullptr);
  });
  ASSERT_TRUE(Eventually([] { return shared->ready == 1; }));
  ProcessStopper stopper(child.pid(), true);
  ASSERT_TRUE(stopper.Stop().ok());
  stopper.Resume();
  shared->go = 1;
  ASSERT_TRUE(Eventually([&] {
    const absl::Status status = stopper.Stop();
    EXPECT_TRUE(status.ok()) << status;
    stopper.Resume();
    return StatusField(child.pid(), "Name") == "sleep";
  }));
  EXPECT_EQ(StatusField(child.pid(), "Threads"), "1");
}

// exec ends all other threads, and waits until those that we hold were collected, while we wait
// until it stands still; or until exec is over, when we are about to seize another one.
void ExpectThatExecIsNoDeadlock(Child& child) {
  ASSERT_TRUE(Eventually([] { return shared->threads_started == 7; }));
  ProcessStopper stopper(child.pid(), true);
  shared->go = 1;
  ASSERT_TRUE(Eventually([&] {
    const absl::Status status = stopper.Stop();
    EXPECT_TRUE(status.ok()) << status;
    stopper.Resume();
    return StatusField(child.pid(), "Name") == "sleep";
  }));
  EXPECT_EQ(StatusField(child.pid(), "Threads"), "1");
  EXPECT_EQ(StatusField(child.pid(), "TracerPid"), "0");
}

void ExecuteSleep() {
  while (shared->go == 0) sched_yield();
  execl("/bin/sleep", "sleep", "60", nullptr);
}

void* CountAndExecuteSleep(void* /*unused*/) {
  ++shared->threads_started;
  ExecuteSleep();
  return nullptr;
}

TEST_F(ProcessStopperTest, AProgramThatStartsAnotherWhileItIsStoppedIsNoDeadlock) {
  for (int round = 0; round < Repetitions(60); ++round) {
    shared->threads_started = 0;
    shared->go = 0;
    Child child([] {
      for (uintptr_t i = 1; i < 8; ++i) StartThread(Count, i);
      while (shared->threads_started < 7) sched_yield();
      ExecuteSleep();
    });
    ExpectThatExecIsNoDeadlock(child);
  }
}

// Such a thread takes over the id of the first one.
TEST_F(ProcessStopperTest, AThreadThatStartsAnotherProgramWhileItIsStoppedIsNoDeadlock) {
  for (int round = 0; round < Repetitions(60); ++round) {
    shared->threads_started = 0;
    shared->go = 0;
    Child child([] {
      for (uintptr_t i = 1; i < 7; ++i) StartThread(Count, i);
      StartThread(CountAndExecuteSleep, 7);
      while (true) pause();
    });
    ExpectThatExecIsNoDeadlock(child);
  }
}

}  // namespace
}  // namespace fthreadprof
