// Small profiles made of literals, and golden files, for the tests of the exporters.
#ifndef FTHREADPROF_TESTS_UNIT_EXPORT_TEST_PROFILE_H_
#define FTHREADPROF_TESTS_UNIT_EXPORT_TEST_PROFILE_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "export/export_options.h"
#include "profile/profile.h"
#include "unit/test_data.h"

namespace fthreadprof {

// The stack of `frames`, outermost first.
inline StackId StackOf(Profile& profile, const std::vector<Frame>& frames) {
  StackId stack = kEmptyStack;
  for (const Frame& frame : frames) stack = profile.InternStack(stack, profile.InternFrame(frame));
  return stack;
}

// A free-threaded process without samples.
inline Profile EmptyProfile() {
  Profile profile;
  profile.target() = {.pid = 100,
                      .python = "3.13.5",
                      .free_threaded = true,
                      .gil_enabled = false,
                      .executable = "/usr/bin/python3.13t",
                      .command = "python3.13t app.py"};
  profile.sampling.requested_hz = 100;
  return profile;
}

// Two threads over 4 passes at 100 Hz; names that the formats must take care of.
inline Profile SmallProfile() {
  Profile profile = EmptyProfile();
  const Frame module = {"<module>", "/app.py", 1};
  const StackId work = StackOf(profile, {module, {"work", "/app.py", 7}});
  const StackId loads =
      StackOf(profile, {module, {"loads", "/usr/lib/python3.13/json/__init__.py", 346}});
  const StackId odd = StackOf(profile, {{"größe;\n\x01\xff", "/ö/<&>.py", 0}});
  const ThreadIndex main = profile.AddThread(100, "MainThread");
  const ThreadIndex other = profile.AddThread(101, "<worker>;1");
  for (uint64_t pass = 0; pass < 4; ++pass) {
    profile.AddSample({main, pass < 3 ? work : loads, ThreadState::kRunning, false, pass});
    profile.AddSample(
        {other, odd, pass % 2 ? ThreadState::kRunning : ThreadState::kSleep, false, pass});
  }
  profile.sampling.duration_s = 0.04;
  profile.sampling.passes = 4;
  profile.sampling.samples = 8;
  profile.sampling.torn = 1;
  profile.sampling.profiler_cpu_s = 0.5;
  profile.totals.cpu_s = 0.25;
  profile.totals.parallelism_passes = {0, 2, 2};
  profile.totals.gil_held_passes = 1;
  profile.thread(main).cpu_s = 0.125;
  return profile;
}

// Two processes, threads in subinterpreters, all states, stacks without frames, functions of one
// name in several files and on several lines.
inline void FillMixed(Profile& profile, SamplingMode mode) {
  profile.sampling.mode = mode;
  TargetInfo worker = profile.target();
  worker.pid = 200;
  worker.parent_pid = 100;
  const ProcessIndex child = profile.AddProcess(worker);
  for (uint32_t i = 0; i < 4; ++i) {
    const ThreadIndex thread =
        profile.AddThread(static_cast<pid_t>(100 + i), "same name", i < 2 ? kRootProcess : child);
    profile.thread(thread).interpreter = i % 2;
  }
  for (uint32_t i = 0; i < 1200; ++i) {
    std::vector<Frame> frames = {{"<module>", "/app.py", 1},
                                 {"<T> & \"q\" 'a'", "/ö.py", int(i % 5)}};
    if (i % 3 > 0) frames.push_back({"work", i % 2 > 0 ? "/a.py" : "/b.py", int(i % 11)});
    if (i % 3 > 1) frames.push_back({"leaf\n\xff", "/a.py", 0});
    if (i % 13 == 0) frames.clear();
    profile.AddSample({i % 4, StackOf(profile, frames),
                       static_cast<ThreadState>(i * 7 % kThreadStateCount), i % 4 == 0,
                       i / 4 * 1000});
  }
  profile.sampling.passes = profile.totals.gil_held_passes = 300;
  profile.sampling.samples = 1200;
  profile.sampling.duration_s = 0.3;
}
inline Profile MixedProfile(SamplingMode mode) {
  Profile profile = EmptyProfile();
  FillMixed(profile, mode);
  return profile;
}

// Writes `profile` with one of the exporters.
template <typename Writer>
std::string Written(Writer write, const Profile& profile, const ExportOptions& options = {}) {
  std::ostringstream out;
  EXPECT_TRUE(write(profile, options, out).ok());
  return out.str();
}

// Compares `text` with tests/data/export/`name`; FTHREADPROF_UPDATE_GOLDEN=1 writes that file
// instead.
inline void ExpectGolden(const std::string& name, const std::string& text) {
  const std::filesystem::path path = TestData("export/" + name);
  if (std::getenv("FTHREADPROF_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_EQ(text, golden.str()) << "differs from " << path;
}

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_EXPORT_TEST_PROFILE_H_
