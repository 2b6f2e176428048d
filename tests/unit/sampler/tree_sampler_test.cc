// TreeSampler on real processes that run no Python: whom it meets, when it ends, and what it says.
// tests/integration/test_record_subprocesses.py has those that do.
#include "sampler/tree_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "process/child_process.h"

namespace fthreadprof {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class TreeSamplerTest : public testing::Test {
 protected:
  TreeSamplerTest() {
    options_.rate_hz = 1000;
    options_.duration = absl::Seconds(60);  // nothing here waits for it
  }

  // Samples what `argv` starts; stops when `met` processes were met.
  absl::StatusOr<SamplingEnd> Run(const std::vector<std::string>& argv, uint64_t met) {
    auto child = ChildProcess::Start(argv);
    EXPECT_TRUE(child.ok());
    auto process = OsProcess::Open(child->pid());
    EXPECT_TRUE(process.ok());
    TreeSampler sampler(*process, options_, profile_);
    sampler.clock().set_on_progress([&](const SamplerProgress&) {
      if (sampler.met() >= met) sampler.clock().RequestStop();
    });
    const auto end = sampler.Run();
    sampler.Finish();
    pid_ = child->pid();
    met_ = sampler.met();
    problems_ = sampler.problems().size();
    kill(-child->pid(), SIGKILL);  // where it made itself a process group
    kill(child->pid(), SIGKILL);
    child->Wait();
    return end;
  }

  SamplerOptions options_;
  Profile profile_;
  pid_t pid_ = 0;
  uint64_t met_ = 0;
  size_t problems_ = 0;
};

TEST_F(TreeSamplerTest, MeetsWhatIsStartedByWhatItStarted) {
  options_.target_is_child = true;
  const auto end = Run({"setsid", "sh", "-c", "sh -c 'sleep 100 & wait' & sleep 100 & wait"}, 4);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(*end, SamplingEnd::kStopRequested);
  EXPECT_EQ(met_, 4u) << "two shells, and what they wait for";
  EXPECT_EQ(problems_, 0u) << "to run no Python is none";
  EXPECT_THAT(profile_.threads(), IsEmpty());
  EXPECT_EQ(profile_.processes().size(), 1u) << "only those that run Python, and the root";
  EXPECT_EQ(profile_.totals.seen_passes(), 0u);
}

TEST_F(TreeSamplerTest, EndsWithAllProcessesAndSaysThatNoneRanPython) {
  options_.target_is_child = true;
  const auto end = Run({"sh", "-c", "sleep 0.01 & wait"}, UINT64_MAX);
  EXPECT_FALSE(end.ok());
  EXPECT_THAT(std::string(end.status().message()), HasSubstr(std::to_string(pid_)));
  EXPECT_THAT(std::string(end.status().message()), HasSubstr("Python"));
}

TEST_F(TreeSamplerTest, SomebodyElsesProcessWithoutPythonIsGivenUp) {
  const auto end = Run({"sleep", "100"}, UINT64_MAX);
  EXPECT_TRUE(absl::IsFailedPrecondition(end.status())) << end.status();
  EXPECT_THAT(std::string(end.status().message()), HasSubstr("Python"));
}

}  // namespace
}  // namespace fthreadprof
