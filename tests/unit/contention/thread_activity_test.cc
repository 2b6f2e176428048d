#include "contention/thread_activity.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace fthreadprof {
namespace {

using Attachment = PythonThread::Attachment;
constexpr uint64_t kGil = 0x7f00'0000'1000;

KernelActivity Syscall(int64_t number, uint64_t first = 0) {
  KernelActivity activity;
  activity.kind = KernelActivity::Kind::kSyscall;
  activity.number = number;
  activity.arguments[0] = first;
  return activity;
}

TEST(ClassifyWait, ByKindOfActivity) {
  KernelActivity activity;
  EXPECT_EQ(ClassifyWait(activity, kGil), ThreadState::kNative);
  activity.kind = KernelActivity::Kind::kBlocked;
  EXPECT_EQ(ClassifyWait(activity, kGil), ThreadState::kOther);
  // The number of a blocked thread means nothing.
  activity.number = SYS_read;
  EXPECT_EQ(ClassifyWait(activity, kGil), ThreadState::kOther);
}

TEST(ClassifyWait, BySystemCall) {
  for (const int64_t call : {SYS_read, SYS_recvfrom, SYS_epoll_wait, SYS_poll, SYS_pselect6,
                             SYS_accept4, SYS_connect, SYS_fsync, SYS_wait4, SYS_openat}) {
    EXPECT_EQ(ClassifyWait(Syscall(call), kGil), ThreadState::kIo) << call;
  }
  EXPECT_EQ(ClassifyWait(Syscall(SYS_clock_nanosleep), kGil), ThreadState::kSleep);
  EXPECT_EQ(ClassifyWait(Syscall(SYS_nanosleep), kGil), ThreadState::kSleep);
  for (const int64_t call : {int64_t{SYS_sched_yield}, int64_t{100'000}, int64_t{-1}}) {
    EXPECT_EQ(ClassifyWait(Syscall(call), kGil), ThreadState::kOther) << call;
  }
}

TEST(ClassifyWait, AFutexInTheGilIsTheGils) {
  // Where 3.13 waits: gil.cond and gil.mutex.
  for (const uint64_t word : {kGil, kGil + 72, kGil + 76, kGil + 160}) {
    EXPECT_EQ(ClassifyWait(Syscall(SYS_futex, word), kGil), ThreadState::kGilWait) << word;
  }
  for (const uint64_t word : {kGil - 4, kGil + 4096, uint64_t{0}, ~uint64_t{0}}) {
    EXPECT_EQ(ClassifyWait(Syscall(SYS_futex, word), kGil), ThreadState::kOther) << word;
  }
  EXPECT_EQ(ClassifyWait(Syscall(SYS_futex, 8), 0), ThreadState::kOther) << "no GIL known";
  EXPECT_EQ(ClassifyWait(Syscall(SYS_read, kGil), kGil), ThreadState::kIo) << "no futex";
}

class Frames {
 public:
  explicit Frames(const std::vector<std::pair<std::string, std::string>>& functions) {
    for (const auto& [file, function] : functions) {
      codes_.push_back(std::make_unique<CodeInfo>());
      codes_.back()->file = file;
      codes_.back()->function = function;
      frames.push_back({codes_.back().get(), 1});
    }
  }
  std::vector<StackFrame> frames;  // innermost first

 private:
  std::vector<std::unique_ptr<CodeInfo>> codes_;
};

TEST(IsIdleWait, GoesByTheInnermostFrame) {
  const std::string threading = "/usr/lib/python3.13/threading.py";
  EXPECT_TRUE(IsIdleWait(Frames({{threading, "Condition.wait"}, {"/app.py", "main"}}).frames));
  EXPECT_TRUE(IsIdleWait(Frames({{threading, "Event.wait"}}).frames));
  EXPECT_TRUE(IsIdleWait(Frames({{threading, "Thread.join"}}).frames));
  EXPECT_TRUE(
      IsIdleWait(Frames({{"/usr/lib/python3.13/concurrent/futures/thread.py", "_worker"}}).frames));
  EXPECT_FALSE(IsIdleWait(Frames({{"/app.py", "work"}, {threading, "Condition.wait"}}).frames));
  EXPECT_FALSE(IsIdleWait(Frames({{"/app.py", "Condition.wait"}}).frames));
  EXPECT_FALSE(IsIdleWait(Frames({{"/app/mythreading.py", "Condition.wait"}}).frames));
  EXPECT_FALSE(IsIdleWait(Frames({{threading, "Thread.run"}}).frames));
  EXPECT_FALSE(IsIdleWait({}));
}

// A thread of ours that sleeps, or waits on a futex, until the end.
class Waiter {
 public:
  explicit Waiter(bool on_futex) : on_futex_(on_futex), thread_([this] { Run(); }) {
    while (tid_ == 0) std::this_thread::yield();
    // Until the kernel shows it where it belongs.
    OsThread thread(getpid(), tid_);
    const int64_t wanted = on_futex ? SYS_futex : SYS_clock_nanosleep;
    for (int i = 0; i < 5000; ++i) {
      const auto activity = thread.ReadActivity();
      if (!activity.ok() || activity->kind == KernelActivity::Kind::kBlocked) break;
      if (activity->kind == KernelActivity::Kind::kSyscall && activity->number == wanted) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    shows_syscalls =
        thread.ReadActivity().ok() && thread.ReadActivity()->kind == KernelActivity::Kind::kSyscall;
  }
  ~Waiter() {
    word_ = 1;
    syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    thread_.join();
  }
  // REQUIRES: on_futex.
  void RunAndWaitAgain() {
    const uint64_t before = slices();
    for (int i = 0; i < 5000 && slices() == before; ++i) {
      syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  pid_t tid() const { return tid_; }
  uint64_t word() const { return reinterpret_cast<uint64_t>(&word_); }
  bool shows_syscalls = false;

 private:
  uint64_t slices() const { return OsThread(getpid(), tid_).Timeslices().value_or(0); }
  void Run() {
    tid_ = static_cast<pid_t>(syscall(SYS_gettid));
    while (word_ == 0) {
      if (on_futex_) {
        syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
      } else {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
      }
    }
  }

  const bool on_futex_;
  std::atomic<uint32_t> word_{0};
  std::atomic<pid_t> tid_{0};
  std::thread thread_;
};

class ThreadActivityTest : public testing::Test {
 protected:
  ThreadActivityTest() {
    thread_.attachment = Attachment::kDetached;
    thread_.unchanged = true;
    activity_.UpdateCpu(1.0, 1.0, 0);
  }
  ThreadState Classify(const Waiter& waiter) {
    return activity_.Classify(thread_, waiter.tid(), gil_);
  }
  // Looks until the waiter is trusted for some milliseconds; returns how often that was.
  uint64_t Trust(const Waiter& waiter) {
    for (int i = 0; i < 17; ++i) {
      Pass(0.001);
      Classify(waiter);
    }
    return activity_.looks();
  }
  // Time goes by; the process used so many cores meanwhile.
  void Pass(double seconds, double cores = 0, size_t attached = 0) {
    now_s_ += seconds;
    cpu_s_ += seconds * cores;
    activity_.UpdateCpu(now_s_, cpu_s_, attached);
  }

  ThreadActivity activity_{getpid()};
  PythonThread thread_;
  GilState gil_;
  double now_s_ = 1.0;
  double cpu_s_ = 1.0;
};

TEST_F(ThreadActivityTest, AnAttachedThreadNeedsNoLook) {
  thread_.attachment = Attachment::kAttached;
  EXPECT_EQ(activity_.Classify(thread_, 1, gil_), ThreadState::kRunning);
  EXPECT_EQ(activity_.looks(), 0u);
}

TEST_F(ThreadActivityTest, AWaitIsTrustedWhileNothingSpeaksAgainstIt) {
  Waiter waiter(false);
  if (!waiter.shows_syscalls) GTEST_SKIP() << "this kernel hides system calls";
  Pass(0.001, 0, 1);
  EXPECT_EQ(Classify(waiter), ThreadState::kSleep);
  EXPECT_EQ(activity_.looks(), 1u);
  for (int i = 0; i < 100; ++i) {
    Pass(0.001, 1, 1);  // one attached thread uses what is used
    EXPECT_EQ(Classify(waiter), ThreadState::kSleep);
  }
  EXPECT_GE(activity_.looks(), 5u);
  EXPECT_LE(activity_.looks(), 10u) << "each trust is twice as long as the one before";
}

// On the same line as before, but in another sleep or on the way to a lock.
TEST_F(ThreadActivityTest, AThreadThatRanMeanwhileIsNoLongerTrusted) {
  Waiter waiter(true);
  if (!waiter.shows_syscalls) GTEST_SKIP() << "this kernel hides system calls";
  for (int i = 0; i < 100; ++i) {
    Pass(0.001);
    Classify(waiter);
  }
  waiter.RunAndWaitAgain();
  Pass(1);
  Classify(waiter);
  const uint64_t looks = activity_.looks();
  Pass(0.0001);
  Classify(waiter);
  EXPECT_EQ(activity_.looks(), looks + 1);
}

TEST_F(ThreadActivityTest, AChangedStackIsLookedAt) {
  Waiter waiter(false);
  const uint64_t looks = Trust(waiter);
  thread_.unchanged = false;
  Classify(waiter);
  EXPECT_EQ(activity_.looks(), looks + 1);
}

TEST_F(ThreadActivityTest, UnexplainedCpuIsLookedInto) {
  Waiter waiter(false);
  const uint64_t looks = Trust(waiter);
  Pass(0.001, 0, 1);
  Pass(0.001, 1, 1);
  Classify(waiter);
  EXPECT_EQ(activity_.looks(), looks);
  Pass(0.001, 2, 1);  // only one of the two cores in use is explained
  Classify(waiter);
  EXPECT_EQ(activity_.looks(), looks + 1);
}

TEST_F(ThreadActivityTest, TrustEndsInTheEnd) {
  Waiter waiter(false);
  for (int i = 0; i < 200; ++i) {
    Pass(0.001);
    Classify(waiter);
  }
  const uint64_t looks = activity_.looks();
  for (int i = 0; i < 200; ++i) {
    Pass(0.001);
    Classify(waiter);
  }
  EXPECT_GE(activity_.looks(), looks + 1);
  EXPECT_LE(activity_.looks(), looks + 2);
}

TEST_F(ThreadActivityTest, AThreadThatWasAttachedIsLookedAtAgain) {
  Waiter waiter(false);
  const uint64_t looks = Trust(waiter);
  thread_.attachment = Attachment::kAttached;
  EXPECT_EQ(Classify(waiter), ThreadState::kRunning);
  thread_.attachment = Attachment::kDetached;
  Classify(waiter);
  EXPECT_EQ(activity_.looks(), looks + 1);
}

TEST_F(ThreadActivityTest, TellsTheGilFromIdleFromOtherLocks) {
  Waiter waiter(true);
  if (!waiter.shows_syscalls) GTEST_SKIP() << "this kernel hides system calls";
  EXPECT_EQ(Classify(waiter), ThreadState::kOther);
  thread_.unchanged = false;
  const Frames idle({{"/usr/lib/python3.13/threading.py", "Condition.wait"}});
  thread_.frames = idle.frames;
  EXPECT_EQ(Classify(waiter), ThreadState::kIdle);
  // Even in Condition.wait, the way back to Python code leads through the GIL.
  gil_.address = waiter.word() - 72;
  EXPECT_EQ(Classify(waiter), ThreadState::kGilWait);
}

TEST_F(ThreadActivityTest, AnEndedThreadIsOtherAndCanBeForgotten) {
  pid_t tid = 0;
  {
    Waiter waiter(false);
    tid = waiter.tid();
    Classify(waiter);
  }
  thread_.unchanged = false;
  for (int i = 0; i < 1000; ++i) {
    if (activity_.Classify(thread_, tid, gil_) == ThreadState::kOther) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(activity_.Classify(thread_, tid, gil_), ThreadState::kOther);
  activity_.Forget(tid);
  activity_.Forget(tid);
}

}  // namespace
}  // namespace fthreadprof
