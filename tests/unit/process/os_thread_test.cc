#include "process/os_thread.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

using Kind = KernelActivity::Kind;

TEST(KernelActivity, Parses) {
  auto activity = ParseKernelActivity("running\n");
  ASSERT_TRUE(activity.ok());
  EXPECT_EQ(activity->kind, Kind::kRunning);

  activity = ParseKernelActivity(
      "202 0x7f0000000010 0x189 0x0 0x0 0x0 0xffffffffffffffff 0x7ffd1234 0x7f0012345678\n");
  ASSERT_TRUE(activity.ok());
  EXPECT_EQ(activity->kind, Kind::kSyscall);
  EXPECT_EQ(activity->number, 202);
  EXPECT_EQ(activity->arguments[0], 0x7f0000000010u);
  EXPECT_EQ(activity->arguments[1], 0x189u);
  EXPECT_EQ(activity->arguments[5], ~uint64_t{0});

  activity = ParseKernelActivity("-1 0x7ffd1234 0x7f0012345678\n");
  ASSERT_TRUE(activity.ok());
  EXPECT_EQ(activity->kind, Kind::kBlocked);
}

TEST(KernelActivity, RefusesNonsense) {
  for (const char* text : {"", "\n", "x", "0x", " run", "-"}) {
    const auto activity = ParseKernelActivity(text);
    if (std::string_view(text) == "0x") continue;  // the number 0, and nothing else
    EXPECT_TRUE(absl::IsInvalidArgument(activity.status())) << text;
  }
  std::mt19937 random{5};
  for (int round = 0; round < Repetitions(20'000); ++round) {
    std::string text = "202 0x7f0000000010 0x189 0x0 0x0 0x0 0x0 0x7ffd1234 0x7f0012345678\n";
    for (int i = 0; i < 5; ++i) text[random() % text.size()] = static_cast<char>(random());
    ParseKernelActivity(text).IgnoreError();
  }
  ParseKernelActivity(std::string(100'000, '9')).IgnoreError();
}

// A thread that does something until it is told to end.
class Worker {
 public:
  explicit Worker(const std::function<void(std::atomic<bool>&)>& body)
      : thread_([this, body] {
          tid_ = static_cast<pid_t>(syscall(SYS_gettid));
          body(end_);
        }) {
    while (tid_ == 0) std::this_thread::yield();
  }
  ~Worker() { End(); }
  void End() {
    end_ = true;
    if (thread_.joinable()) thread_.join();
  }
  pid_t tid() const { return tid_; }

 private:
  std::atomic<pid_t> tid_{0};
  std::atomic<bool> end_{false};
  std::thread thread_;
};

TEST(OsThread, SeesRunningAndWaitingThreads) {
  Worker busy([](std::atomic<bool>& end) {
    while (!end) {
    }
  });
  Worker sleeping([](std::atomic<bool>& end) {
    prctl(PR_SET_NAME, "a fifteen-bytes name");
    while (!end) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  });
  OsThread busy_thread(getpid(), busy.tid());
  OsThread sleeping_thread(getpid(), sleeping.tid());
  bool was_running = false;
  bool was_asleep = false;
  for (int i = 0; i < 5000 && !(was_running && was_asleep); ++i) {
    const auto one = busy_thread.ReadActivity();
    ASSERT_TRUE(one.ok());
    was_running |= one->kind == Kind::kRunning;
    const auto other = sleeping_thread.ReadActivity();
    ASSERT_TRUE(other.ok());
    was_asleep |= other->kind != Kind::kRunning &&
                  (other->number == SYS_clock_nanosleep || other->kind == Kind::kBlocked);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(was_running);
  EXPECT_TRUE(was_asleep);
  EXPECT_EQ(sleeping_thread.Comm(), "a fifteen-bytes");
  EXPECT_EQ(sleeping_thread.tid(), sleeping.tid());
  const auto before = busy_thread.Times();
  ASSERT_TRUE(before.ok());
  while (busy_thread.Times()->cpu_s <= before->cpu_s) std::this_thread::yield();
}

TEST(OsThread, CountsTheWaitForACpu) {
  std::vector<std::unique_ptr<Worker>> crowd;
  for (unsigned i = 0; i <= std::thread::hardware_concurrency(); ++i) {
    crowd.push_back(std::make_unique<Worker>([](std::atomic<bool>& end) {
      while (!end) {
      }
    }));
  }
  const OsThread one(getpid(), crowd.front()->tid());
  const auto before = one.Times();
  ASSERT_TRUE(before.ok());
  while (one.Times()->run_queue_s <= before->run_queue_s) std::this_thread::yield();
}

TEST(OsThread, CountsHowOftenAThreadRan) {
  std::atomic<int> rounds{0};
  Worker worker([&](std::atomic<bool>& end) {
    for (; !end; ++rounds) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  });
  OsThread thread(getpid(), worker.tid());
  const auto before = thread.Timeslices();
  ASSERT_TRUE(before.ok());
  for (const int start = rounds; rounds < start + 10;) std::this_thread::yield();
  const auto after = thread.Timeslices();
  ASSERT_TRUE(after.ok());
  EXPECT_GE(*after, *before + 9);
}

TEST(OsThread, AThreadThatEndedIsNotFound) {
  Worker worker([](std::atomic<bool>& end) {
    while (!end) std::this_thread::yield();
  });
  OsThread thread(getpid(), worker.tid());
  ASSERT_TRUE(thread.ReadActivity().ok());  // its file is open from now on
  worker.End();
  OsThread fresh(getpid(), worker.tid());
  // The kernel may take a moment to forget it.
  for (int i = 0; i < 5000 && thread.ReadActivity().ok(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(absl::IsNotFound(thread.ReadActivity().status())) << thread.ReadActivity().status();
  EXPECT_TRUE(absl::IsNotFound(fresh.ReadActivity().status()));
  EXPECT_TRUE(absl::IsNotFound(fresh.Times().status()));
  EXPECT_TRUE(absl::IsNotFound(fresh.Timeslices().status()));
  EXPECT_EQ(fresh.Comm(), "");
}

}  // namespace
}  // namespace fthreadprof
