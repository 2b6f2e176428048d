#include "interpreter/file_lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gtest/gtest.h"
#include "unit/interpreter/temporary_directory.h"

namespace fthreadprof {
namespace {

TEST(FileLockTest, LetsOneInAtATime) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "made/on/demand.lock";
  {
    const auto held = FileLock::Acquire(path);
    ASSERT_TRUE(held.ok()) << held.status();
    const auto second = FileLock::TryAcquire(path);
    ASSERT_TRUE(second.ok()) << second.status();
    EXPECT_FALSE(second->has_value());
  }
  const auto after = FileLock::TryAcquire(path);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_TRUE(after->has_value());
}

TEST(FileLockTest, IsHeldByWhatWasStartedMeanwhile) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "lock";
  pid_t program = 0;
  {
    const auto held = FileLock::Acquire(path);
    ASSERT_TRUE(held.ok()) << held.status();
    program = fork();
    if (program == 0) {
      execlp("sleep", "sleep", "60", static_cast<char*>(nullptr));
      _exit(127);
    }
  }
  const auto while_it_runs = FileLock::TryAcquire(path);
  ASSERT_TRUE(while_it_runs.ok()) << while_it_runs.status();
  EXPECT_FALSE(while_it_runs->has_value());
  kill(program, SIGKILL);
  waitpid(program, nullptr, 0);
  const auto afterwards = FileLock::TryAcquire(path);
  ASSERT_TRUE(afterwards.ok()) << afterwards.status();
  EXPECT_TRUE(afterwards->has_value());
}

TEST(FileLockTest, SaysWhenTheFileCannotBeMade) {
  EXPECT_EQ(FileLock::Acquire("/proc/no/lock").status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(FileLock::TryAcquire("/proc/no/lock").status().code(),
            absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace fthreadprof
