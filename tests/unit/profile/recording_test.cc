#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <protozero/pbf_builder.hpp>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "profile/gil_cause_codec.h"
#include "profile/recording_format.h"
#include "profile/recording_reader.h"
#include "profile/recording_writer.h"
#include "unit/profile/recording_blocks.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

using testing::HasSubstr;

class Recording : public testing::Test {
 protected:
  Recording() : path_(testing::TempDir() + "recording_test." + std::to_string(getpid())) {}
  ~Recording() override { std::filesystem::remove(path_); }

  // Two processes, threads that get their names late, samples of all states over 4 seconds.
  static void Fill(Profile& profile) {
    profile.sampling.mode = SamplingMode::kCpu;
    profile.sampling.requested_hz = 100;
    profile.target().pid = 7;
    profile.target().python = "3.13.5";
    profile.target().free_threaded = true;
    profile.target().gil_cause =
        GilCause{.by_option = true,
                 .module = "old\xff",
                 .is_certain = true,
                 .at_s = 1.5,
                 .stack = {{"<module>", "/app.py", 1}, {"load", "/app.py", 7}},
                 .imported = {{"fine", "/fine.so", true}, {"old", "/old.so", false}}};
    TargetInfo second;
    second.pid = 8;
    second.parent_pid = 7;
    const ProcessIndex child = profile.AddProcess(second);
    StackId stack = kEmptyStack;
    for (uint32_t pass = 0; pass < 400; ++pass) {
      if (pass % 100 == 0) {
        const ThreadIndex index =
            profile.AddThread(static_cast<pid_t>(pass), "", pass < 200 ? kRootProcess : child);
        profile.thread(index).interpreter = pass / 100;
        profile.thread(index).tasks = pass == 300;
      }
      const auto thread = static_cast<ThreadIndex>(pass / 100);
      const FrameId frame =
          profile.InternFrame({"f\xff" + std::to_string(pass % 7), "/a.py", int(pass % 5)});
      stack = profile.InternStack(pass % 9 == 0 ? kEmptyStack : stack, frame);
      const LockId lock = profile.InternLock({.process = pass < 200 ? kRootProcess : child,
                                              .kind = static_cast<LockKind>(pass % kLockKindCount),
                                              .type = "type " + std::to_string(pass % 3),
                                              .address = ~uint64_t{pass / 150}});
      profile.AddSample({thread, stack, static_cast<ThreadState>(pass % kThreadStateCount),
                         pass % 3 == 0, pass * 10'000, pass < 300 ? 1 : pass,
                         pass % 5 == 0 ? lock : 0, pass % 10 == 0 ? stack : kEmptyStack,
                         pass % 11 == 0});
      profile.thread(thread).name = "name " + std::to_string(pass / 50);
      profile.thread(thread).cpu_s += 0.001;
      profile.thread(thread).run_queue_s += 0.002;
      profile.totals.parallelism_passes = {1, pass};
    }
    profile.sampling.duration_s = 4.1;
    profile.sampling.samples = 400;
    profile.totals.gil_held_passes = 3;
    profile.totals.wanting_passes = {0, 7, 1};
    profile.totals.gil_handoffs = 1234;
    profile.totals.gc_passes = 4;
    profile.totals.stopped_passes = 5;
    profile.totals.stops = 2;
  }

  // What is written of a filled profile, which is `filled_` then; without an end when cut.
  std::string Write(bool finish = true) {
    {
      RecordingWriter writer(filled_, {path_});
      Fill(filled_);
      if (finish) EXPECT_TRUE(writer.Finish().ok());
    }
    std::ostringstream bytes;
    bytes << std::ifstream(path_, std::ios::binary).rdbuf();
    return bytes.str();
  }

  static absl::StatusOr<RecordingEnd> Read(const std::string& bytes, Profile& profile,
                                           std::optional<SamplingMode> mode = std::nullopt) {
    std::istringstream in(bytes);
    return ReadRecording(in, "x.ftp", mode, profile);
  }
  static std::string Failure(const std::string& bytes) {
    Profile profile;
    return std::string(Read(bytes, profile).status().message());
  }

  static std::vector<LoggedSample> SamplesOf(const Profile& profile) {
    std::vector<LoggedSample> samples;
    profile.log().ForEach([&](const LoggedSample& sample) { samples.push_back(sample); });
    return samples;
  }

  const std::string path_;
  Profile filled_;
};

TEST_F(Recording, KeepsAllOfAProfile) {
  Profile read;
  const auto end = Read(Write(), read);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(*end, RecordingEnd::kComplete);
  ASSERT_EQ(read.processes().size(), 2u);
  EXPECT_EQ(read.processes()[1].parent_pid, 7);
  EXPECT_EQ(read.target().python, "3.13.5");
  EXPECT_EQ(read.target().gil_cause, filled_.target().gil_cause);
  EXPECT_EQ(read.processes()[1].gil_cause, std::nullopt);
  ASSERT_EQ(read.threads().size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    const ProfiledThread &a = read.threads()[i], &b = filled_.threads()[i];
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.tid, b.tid);
    EXPECT_EQ(a.process, b.process);
    EXPECT_EQ(a.interpreter, b.interpreter);
    EXPECT_EQ(a.tasks, b.tasks);
    EXPECT_EQ(a.cpu_s, b.cpu_s);
    EXPECT_EQ(a.run_queue_s, b.run_queue_s);
    EXPECT_EQ(a.samples, b.samples);
    EXPECT_EQ(a.state_samples, b.state_samples);
  }
  ASSERT_EQ(read.frame_count(), filled_.frame_count());
  for (FrameId id = 0; id < read.frame_count(); ++id) EXPECT_EQ(read.frame(id), filled_.frame(id));
  ASSERT_EQ(read.stack_count(), filled_.stack_count());
  ASSERT_GT(filled_.lock_count(), 4u);
  ASSERT_EQ(read.lock_count(), filled_.lock_count());
  for (LockId id = 1; id <= read.lock_count(); ++id) EXPECT_EQ(read.lock(id), filled_.lock(id));
  EXPECT_EQ(read.lock_waits().Table(), filled_.lock_waits().Table());
  EXPECT_EQ(SamplesOf(read), SamplesOf(filled_));
  EXPECT_EQ(read.sampling.mode, SamplingMode::kCpu);
  EXPECT_EQ(read.sampling.duration_s, 4.1);
  EXPECT_EQ(read.totals.parallelism_passes, filled_.totals.parallelism_passes);
  EXPECT_EQ(read.totals.gil_held_passes, 3u);
  EXPECT_EQ(read.totals.wanting_passes, filled_.totals.wanting_passes);
  EXPECT_EQ(read.totals.gil_handoffs, 1234u);
  EXPECT_EQ(read.totals.gc_passes, 4u);
  EXPECT_EQ(read.totals.stopped_passes, 5u);
  EXPECT_EQ(read.totals.stops, 2u);
  ASSERT_GT(filled_.stops_by().size(), 1u);
  EXPECT_EQ(read.stops_by(), filled_.stops_by());
}

TEST_F(Recording, IsTheSameWhenTheProfileKeepsNoSamples) {
  filled_.ForgetSamples();
  const std::string bytes = Write();
  EXPECT_EQ(filled_.log().size(), 0u);
  EXPECT_EQ(filled_.selected_stack_count(), 0u);
  Profile read, kept;
  ASSERT_TRUE(Read(bytes, read).ok());
  Fill(kept);
  EXPECT_EQ(SamplesOf(read), SamplesOf(kept));
  for (ThreadIndex thread = 0; thread < kept.threads().size(); ++thread) {
    EXPECT_EQ(read.SelectedStacks(thread), kept.SelectedStacks(thread));
    EXPECT_EQ(filled_.threads()[thread].state_samples, kept.threads()[thread].state_samples);
  }
}

TEST_F(Recording, HasTheSamplesThatWereNotSelected) {
  Profile read;
  ASSERT_TRUE(Read(Write(), read, SamplingMode::kWall).ok());
  EXPECT_EQ(SamplesOf(read).size(), 400u);
  EXPECT_LT(SamplesOf(filled_).size(), 400u);
  EXPECT_EQ(read.sampling.mode, SamplingMode::kWall);
}

TEST_F(Recording, WithoutAnEndHasAllButTheLastSecond) {
  Profile read;
  const auto end = Read(Write(false), read, SamplingMode::kWall);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(*end, RecordingEnd::kCutOff);
  EXPECT_GE(SamplesOf(read).size(), 300u);
}

TEST_F(Recording, CutAnywhereGivesWhatIsWhole) {
  const std::string bytes = Write();
  size_t most = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    Profile read;
    const auto end = Read(bytes.substr(0, size), read, SamplingMode::kWall);
    if (end.ok()) EXPECT_EQ(*end, RecordingEnd::kCutOff);
    const size_t samples = SamplesOf(read).size();
    EXPECT_GE(samples, most) << size;
    most = std::max(most, samples);
  }
  EXPECT_EQ(most, 400u);
}

TEST_F(Recording, SaysWhatIsNoRecording) {
  EXPECT_EQ(Failure(""), "x.ftp is empty or cannot be read");
  EXPECT_THAT(Failure("<svg>"), HasSubstr("is not a recording"));
  EXPECT_THAT(Failure(std::string(recording::kMagic)), HasSubstr("is not a recording"));
  EXPECT_THAT(Failure(std::string(recording::kMagic) + "9"), HasSubstr("another version"));
  EXPECT_THAT(Failure(RecordingHeader()), HasSubstr("cut off before anything"));
  EXPECT_THAT(Failure(RecordingHeader() + "\xff\xff\xff\xff"), HasSubstr("impossible length"));
  EXPECT_THAT(Failure(RecordingHeader() + BlockOf("").replace(4, 4, "none")), HasSubstr("damaged"));
  EXPECT_THAT(Failure(Write() + "x"), HasSubstr("goes on behind its end"));
}

// 64 MiB and more of zeros in a few kilobytes.
TEST_F(Recording, RefusesABomb) {
  const std::string bomb = BlockOf(std::string(recording::kMaxBlockBytes + 1, '\0'));
  EXPECT_LT(bomb.size(), 64u << 10);
  EXPECT_THAT(Failure(RecordingHeader() + bomb), HasSubstr("cannot be decompressed"));
}

TEST_F(Recording, BitFlippedIsDamagedOrCutOff) {
  const std::string good = Write();
  std::mt19937 random(1);
  for (int round = 0; round < Repetitions(2000); ++round) {
    std::string bytes = good;
    const size_t at = random() % bytes.size();
    bytes[at] ^= static_cast<char>(1u << random() % 8);
    Profile read;
    const auto end = Read(bytes, read);
    // zstd has bits of no meaning; any other shows.
    if (end.ok() && *end == RecordingEnd::kComplete) {
      EXPECT_EQ(SamplesOf(read), SamplesOf(filled_)) << "at byte " << at;
    }
    if (!end.ok()) EXPECT_EQ(end.status().message().find('\n'), std::string::npos);
  }
}

// Behind the checksums: the contents of blocks are anything.
TEST_F(Recording, AnyContentsOfABlockAreReadWithoutHarm) {
  const std::vector<std::string> blocks = ContentsOf(Write());
  std::mt19937 random(2);
  int failures = 0;
  for (int round = 0; round < Repetitions(4000); ++round) {
    std::string fuzzed = RecordingHeader();
    for (std::string raw : blocks) {
      for (uint32_t flips = random() % 3; flips > 0 && !raw.empty(); --flips) {
        raw[random() % raw.size()] = static_cast<char>(random());
      }
      fuzzed += BlockOf(raw);
    }
    Profile read;
    const auto end = Read(fuzzed, read);
    failures += !end.ok();
    for (const LoggedSample& sample : SamplesOf(read)) {
      ASSERT_LT(sample.thread, read.threads().size());
      ASSERT_LT(sample.stack, read.stack_count());
    }
  }
  EXPECT_GT(failures, 0);
}

// Threads and processes are written again whenever they have used CPU: their names are kept once,
// and count once, however long the recording is.
TEST_F(Recording, NamesOfWhatIsUpdatedCountOnce) {
  const std::string name(size_t{1} << 20, 'n');
  std::string raw;
  protozero::pbf_builder<recording::Block> block(raw);
  while (raw.size() + 3 * name.size() < recording::kMaxBlockBytes) {
    protozero::pbf_builder<recording::Process>(block, recording::Block::kProcess)
        .add_bytes(recording::Process::kCommand, name);
    protozero::pbf_builder<recording::Thread>(block, recording::Block::kThread)
        .add_bytes(recording::Thread::kName, name);
  }
  protozero::pbf_builder<recording::Figures>(block, recording::Block::kFigures)
      .add_double(recording::Figures::kDurationSeconds, 1);
  const std::string updates = BlockOf(raw);
  std::string bytes = RecordingHeader();
  for (size_t total = 0; total <= 2 * recording::kMaxTextBytes; total += raw.size()) {
    bytes += updates;
  }
  Profile read;
  const auto end = Read(bytes, read);
  ASSERT_TRUE(end.ok()) << end.status();
  ASSERT_EQ(read.threads().size(), 1u);
  EXPECT_EQ(read.threads()[0].name, name);
  EXPECT_EQ(read.target().command, name);
}

TEST_F(Recording, RefusesFiguresThatOutputsCannotShow) {
  for (const double figure : {std::nan(""), HUGE_VAL, -HUGE_VAL, 1e300}) {
    std::string raw;
    protozero::pbf_builder<recording::Block> block(raw);
    protozero::pbf_builder<recording::Figures>(block, recording::Block::kFigures)
        .add_double(recording::Figures::kDurationSeconds, figure);
    EXPECT_THAT(Failure(RecordingHeader() + BlockOf(raw)), HasSubstr("a figure that cannot be"))
        << figure;
  }
}

// A recording with the GIL turned on as `cause` says.
std::string Blamed(const GilCause& cause) {
  std::string raw;
  protozero::pbf_builder<recording::Block> block(raw);
  protozero::pbf_builder<recording::Process>(block, recording::Block::kProcess)
      .add_message(recording::Process::kGilCause, EncodeGilCause(cause));
  return RecordingHeader() + BlockOf(raw);
}

TEST_F(Recording, RefusesAnImportThatCannotBe) {
  EXPECT_THAT(Failure(Blamed({.at_s = HUGE_VAL})), HasSubstr("a figure that cannot be"));
  GilCause cause;
  cause.stack.resize(GilCause::kMaxStack);
  cause.imported.resize(GilCause::kMaxImported);
  EXPECT_THAT(Failure(Blamed(cause)), HasSubstr("cut off before anything")) << "that is no fault";
  cause.stack.emplace_back();
  EXPECT_THAT(Failure(Blamed(cause)), HasSubstr("an import too long"));
  cause.stack.clear();
  cause.imported.emplace_back();
  EXPECT_THAT(Failure(Blamed(cause)), HasSubstr("an import too long"));
}

TEST_F(Recording, SaysWhyItCannotBeWritten) {
  Profile profile;
  RecordingWriter writer(profile, {"/no/such/directory/x.ftp"});
  Fill(profile);
  EXPECT_TRUE(absl::IsNotFound(writer.Finish()));
}

TEST_F(Recording, NothingIsWrittenBeforeTheFirstSample) {
  Profile profile;
  RecordingWriter writer(profile, {path_});
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace fthreadprof
