// Sampler over a fake target's memory; the OS process behind it is our own, whose thread ids the
// fake threads bear.
#include "sampler/sampler.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <string>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "unit/python/fake_target.h"

namespace fthreadprof {
namespace {

class SamplerTest : public testing::Test {
 protected:
  SamplerTest() {
    main_ = target_.NewThread();
    target_.Put(main_->state + target_.offsets().thread_state.native_thread_id,
                static_cast<uint64_t>(getpid()));
    target_.CallFromC(main_, run_);
    target_.Finish();
    options_.rate_hz = 2000;
    options_.duration = absl::Milliseconds(60);
  }

  // Runs until the duration is over, the target gone, or `after` calls of memory came to pass.
  absl::StatusOr<SamplingEnd> Run() {
    auto process = OsProcess::Open(getpid());
    Sampler sampler(*process, memory_, options_, profile_);
    sampler_ = &sampler;
    const auto end = sampler.Run(target_.runtime());
    sampler.Finish();
    return end;
  }
  // Selected samples by stack: "run:10;leaf:300" from the outermost frame.
  std::map<std::string, uint64_t> Selected() const {
    std::map<std::string, uint64_t> samples;
    for (ThreadIndex thread = 0; thread < profile_.threads().size(); ++thread) {
      for (const auto& [key, count] : profile_.SelectedStacks(thread)) {
        std::string text;
        for (const FrameId id : profile_.FramesOf(key.stack)) {
          const Frame& frame = profile_.frame(id);
          absl::StrAppend(&text, text.empty() ? "" : ";", frame.function, ":", frame.line);
        }
        samples[text] += count;
      }
    }
    return samples;
  }

  FakeMemory memory_;
  FakeTarget target_{memory_, TargetOffsets("3.13.5t")};
  const FakeCode* run_ = target_.NewCode("run", 10);
  const FakeCode* leaf_ = target_.NewCode("leaf", 300);
  FakeTarget::Thread* main_ = nullptr;
  SamplerOptions options_;
  Profile profile_;
  Sampler* sampler_ = nullptr;
};

TEST_F(SamplerTest, CountsWhatItSees) {
  const auto end = Run();
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(*end, SamplingEnd::kDuration);
  EXPECT_GT(profile_.sampling.passes, 0u);
  EXPECT_EQ(profile_.sampling.samples, profile_.sampling.passes);
  EXPECT_EQ(profile_.sampling.torn, 0u);
  ASSERT_EQ(profile_.threads().size(), 1u);
  EXPECT_EQ(profile_.threads()[0].tid, getpid());
  EXPECT_EQ(Selected(), (std::map<std::string, uint64_t>{{"run:10", profile_.sampling.samples}}));
}

// A recording that is written meanwhile may be cut off at any sample.
TEST_F(SamplerTest, FiguresGrowWithTheSamples) {
  uint64_t samples = 0;
  double cpu_s = 0;
  profile_.set_on_sample([&](const LoggedSample&) {
    EXPECT_EQ(profile_.sampling.samples, ++samples);
    cpu_s = profile_.totals.cpu_s;
    EXPECT_EQ(cpu_s, profile_.target().cpu_s);
  });
  ASSERT_TRUE(Run().ok());
  EXPECT_GT(samples, 0u);
  EXPECT_GT(cpu_s, 0);
  EXPECT_EQ(profile_.totals.cpu_s, profile_.target().cpu_s);
}

// An attached thread counts in every mode; with the GIL, only its holder in gil mode.
TEST_F(SamplerTest, ModesSelect) {
  options_.duration = absl::Milliseconds(15);
  target_.SetGil(target_.main_interpreter(), 1, 1, main_->state);
  for (const SamplingMode mode :
       {SamplingMode::kActive, SamplingMode::kWall, SamplingMode::kCpu, SamplingMode::kGil}) {
    options_.mode = mode;
    profile_ = Profile();
    ASSERT_TRUE(Run().ok());
    EXPECT_EQ(Selected().size(), 1u) << SamplingModeName(mode);
  }
  target_.SetGil(target_.main_interpreter(), 1, 1, 0x1234);
  options_.mode = SamplingMode::kGil;
  profile_ = Profile();
  ASSERT_TRUE(Run().ok());
  EXPECT_TRUE(Selected().empty());
  EXPECT_GT(profile_.threads()[0].samples, 0u) << "the ledger counts all";
  target_.SetGil(target_.main_interpreter(), 0, 0, 0);  // off: attached is what counts
  profile_ = Profile();
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(Selected().size(), 1u);
}

// Our own thread, detached, sleeps in every look: what it does is none of cpu's business.
TEST_F(SamplerTest, DetachedThreadsAreClassified) {
  options_.duration = absl::Milliseconds(15);
  target_.SetAttachment(main_, PythonThread::Attachment::kDetached);
  options_.mode = SamplingMode::kWall;
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(Selected().size(), 1u);
  const ProfiledThread& thread = profile_.threads()[0];
  // A look at ourselves finds us running.
  EXPECT_EQ(thread.state_samples[static_cast<size_t>(ThreadState::kRunning)], 0u);
}

TEST_F(SamplerTest, StopsWhenTheTargetIsGoneAndKeepsWhatWasProven) {
  options_.duration = absl::Seconds(20);
  memory_.before_call = [&] { memory_.gone = memory_.calls > 400; };
  const auto end = Run();
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(*end, SamplingEnd::kTargetEnded);
  EXPECT_GT(profile_.sampling.samples, 0u);
  EXPECT_EQ(Selected().size(), 1u);
}

TEST_F(SamplerTest, ATargetThatBecomesAnotherProgramHasChanged) {
  options_.duration = absl::Seconds(20);
  memory_.before_call = [&] {
    if (memory_.calls > 400) memory_.regions().clear();
  };
  const auto end = Run();
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(*end, SamplingEnd::kTargetChanged);
}

TEST_F(SamplerTest, StopsOnRequest) {
  options_.duration = std::nullopt;
  memory_.before_call = [&] {
    if (memory_.calls > 200) sampler_->clock().RequestStop();
  };
  const auto end = Run();
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(*end, SamplingEnd::kStopRequested);
  EXPECT_GT(profile_.sampling.samples, 0u) << "what was pending is counted";
}

// A code object's address is taken by another one between a sample and the verification: the
// samples in doubt are torn, and none is shown under the wrong name afterwards.
TEST_F(SamplerTest, SamplesThatNameStaleCodeAreTorn) {
  target_.Call(main_, leaf_);
  target_.Finish();
  options_.duration = absl::Milliseconds(400);
  const absl::Time start = absl::Now();
  bool replaced = false;
  memory_.before_call = [&] {
    if (replaced || absl::Now() - start < absl::Milliseconds(250)) return;
    replaced = true;
    target_.NewCode("other", 900, 20, 20, leaf_->address);
  };
  ASSERT_TRUE(Run().ok());
  ASSERT_TRUE(replaced);
  const auto selected = Selected();
  ASSERT_EQ(selected.size(), 2u);
  EXPECT_TRUE(selected.contains("run:13;leaf:300"));
  EXPECT_TRUE(selected.contains("run:13;other:900"));
  // About 300 passes were after the change, unless the machine is slow; no leaf among them.
  EXPECT_GT(selected.at("run:13;other:900"), 0u);
  EXPECT_LE(profile_.sampling.torn, 120u);
}

TEST_F(SamplerTest, AThreadWithoutPythonFramesIsNoSample) {
  target_.ReturnToC(main_);
  target_.Finish();
  options_.duration = absl::Milliseconds(15);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(profile_.sampling.samples, 0u);
  EXPECT_EQ(profile_.threads().size(), 1u);
}

}  // namespace
}  // namespace fthreadprof
