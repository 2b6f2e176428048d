// Profile holds what a recording found: interned frames and stacks, the threads, every sample in
// order, and the figures that go with them. It knows no process, so tests build it from literals.
//
// Lifetime: owns all it holds; the ids it hands out are valid for its life and dense from 0.
// Thread safety: none; one thread adds, and exporters read after the last Add.
// Memory: samples are kept compressed (see SampleLog); 16 threads at 1 kHz for 10 minutes stay
// under 40 MiB. Where nobody will ask for them (ForgetSamples) only frames, stacks and threads
// grow.
#ifndef FTHREADPROF_PROFILE_PROFILE_H_
#define FTHREADPROF_PROFILE_PROFILE_H_

#include <sys/types.h>

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "profile/gil_blame.h"
#include "profile/gil_cause.h"
#include "profile/lock_waits.h"
#include "profile/sample_log.h"
#include "profile/sampling_mode.h"
#include "profile/thread_state.h"

namespace fthreadprof {

// A place in Python code. `line` is 1-based; 0 means unknown (or left out by --function).
struct Frame {
  std::string function;  // co_qualname, UTF-8
  std::string file;      // co_filename, UTF-8
  int line = 0;

  friend bool operator==(const Frame&, const Frame&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Frame& frame) {
    return H::combine(std::move(h), frame.function, frame.file, frame.line);
  }
};

using FrameId = uint32_t;
// A stack is a node of the tree of all stacks: its innermost frame and the stack of the caller.
using StackId = uint32_t;
using ThreadIndex = uint32_t;
using ProcessIndex = uint32_t;
using LockId = uint32_t;  // 0: none

// The stack without frames, parent of every outermost frame.
inline constexpr StackId kEmptyStack = 0;

// The process that the recording was asked for.
inline constexpr ProcessIndex kRootProcess = 0;

struct ProfiledThread {
  ProcessIndex process = kRootProcess;
  pid_t tid = 0;     // in the pid namespace of the profiler
  std::string name;  // threading's name, else the OS thread's; UTF-8
  int64_t interpreter =
      0;  // PyInterpreterState.id; 0 is the main one, the others are subinterpreters
  // Not a thread but the asyncio tasks of the event loop in thread `tid`, for --async: many of them
  // wait at the same time.
  bool tasks = false;
  double cpu_s = 0;        // seconds of CPU while we watched
  double run_queue_s = 0;  // seconds in which it wanted a CPU and had none, while we watched
  uint64_t samples = 0;    // all samples of it, by weight, whatever the mode selects
  std::array<uint64_t, kThreadStateCount> state_samples{};
};

// What selected samples of a thread are summed by.
struct SelectedStack {
  StackId stack = kEmptyStack;
  ThreadState state = ThreadState::kOther;

  friend auto operator<=>(const SelectedStack&, const SelectedStack&) = default;
};

// A process that was profiled. Strings are UTF-8.
struct TargetInfo {
  pid_t pid = 0;         // in the pid namespace of the profiler
  pid_t parent_pid = 0;  // of the process that started it, Python or not; 0 for the root one
  std::string python{};  // "3.13.5"; "" for a root process that runs none itself
  bool free_threaded = false;
  bool gil_enabled = true;              // for good, not for the moment of an import
  std::optional<GilCause> gil_cause{};  // of a free-threaded build whose GIL is on
  std::string executable{};
  std::string command{};  // command line, arguments joined by spaces
  double cpu_s = 0;       // seconds of CPU while we watched
};

// How good the sampling was.
struct SamplingInfo {
  double requested_hz = 0;
  double duration_s = 0;
  uint64_t passes = 0;
  uint64_t samples = 0;  // thread samples that were kept
  uint64_t torn = 0;     // thread samples dropped because they did not hold together
  uint64_t late = 0;  // passes that began more than one period after they were due, or not at all
  double profiler_cpu_s = 0;
  // Which samples outputs show: of this mode, in these states, of threads with these names
  // (patterns as in the shell; none: all).
  SamplingMode mode = SamplingMode::kActive;
  ThreadStates states = ThreadStates().set();
  std::vector<std::string> threads;

  double achieved_hz() const {
    return duration_s > 0 ? static_cast<double>(passes) / duration_s : 0;
  }
};

// Of all profiled processes together.
struct ProcessInfo {
  double cpu_s = 0;
  // parallelism[n]: passes that saw n threads running Python code.
  std::vector<uint64_t> parallelism_passes;
  // wanting_passes[n]: passes that saw n threads running Python code or waiting for the GIL to.
  std::vector<uint64_t> wanting_passes;
  // Free-threaded builds: passes that saw the GIL enabled for good, and on any build those that saw
  // it held.
  uint64_t gil_enabled_passes = 0;
  uint64_t gil_held_passes = 0;
  uint64_t gil_handoffs = 0;  // how often another thread got a GIL while we watched
  uint64_t gc_passes = 0;     // that saw the garbage collector at work
  // Free-threaded builds: passes that saw threads stopped for a stop-the-world, and how many such
  // rows of passes there were.
  uint64_t stopped_passes = 0;
  uint64_t stops = 0;

  // Passes that saw the process's threads: all of them but those whose reading failed.
  uint64_t seen_passes() const {
    return std::accumulate(parallelism_passes.begin(), parallelism_passes.end(), uint64_t{0});
  }
};

class Profile {
 public:
  Profile();
  Profile(Profile&&) = default;
  Profile& operator=(Profile&&) = default;

  FrameId InternFrame(const Frame& frame);
  // The stack `caller` with `frame` called from it.
  // REQUIRES: both ids come from this profile.
  StackId InternStack(StackId caller, FrameId frame);
  // 0 when there are too many.
  LockId InternLock(const WaitedLock& lock);
  // A process beside the root one, which is there from the start.
  ProcessIndex AddProcess(TargetInfo process);
  ThreadIndex AddThread(pid_t tid, std::string name, ProcessIndex process = kRootProcess);
  // Counts a sample in the thread's ledger and, when `sampling.mode` and `sampling.states`
  // select it, in what outputs show. Samples come in the order of time. The figures in `sampling`
  // and `totals` are the sampler's to fill, this changes none. REQUIRES: thread and stack come from
  // this profile, and those two stay as they were for the first sample.
  void AddSample(const LoggedSample& sample);
  // Takes the samples of all threads but those that `sampling.threads` names out of what outputs
  // show; now, because a thread may have got its name after its first samples. Fails with kNotFound
  // when that is every thread; the message names them.
  absl::Status SelectThreads();
  // From now on samples are only counted, and handed to on_sample: for who writes them elsewhere.
  // SelectedStacks and log() stay as they are. REQUIRES: no sample was added yet.
  void ForgetSamples() { keeps_samples_ = false; }
  // Called with each sample, selected or not, after it was counted.
  void set_on_sample(std::function<void(const LoggedSample&)> on_sample) {
    on_sample_ = std::move(on_sample);
  }

  const Frame& frame(FrameId id) const { return frames_[id]; }
  // REQUIRES: id != kEmptyStack.
  FrameId InnermostFrame(StackId id) const { return stacks_[id].frame; }
  StackId Caller(StackId id) const { return stacks_[id].caller; }
  size_t frame_count() const { return frames_.size(); }
  size_t stack_count() const { return stacks_.size(); }
  // REQUIRES: 0 < id <= lock_count().
  const WaitedLock& lock(LockId id) const { return locks_[id - 1]; }
  size_t lock_count() const { return locks_.size(); }
  // Frame ids of a stack, outermost first.
  std::vector<FrameId> FramesOf(StackId id) const;

  const std::vector<TargetInfo>& processes() const { return processes_; }
  TargetInfo& process(ProcessIndex index) { return processes_[index]; }
  // The root process.
  const TargetInfo& target() const { return processes_[kRootProcess]; }
  TargetInfo& target() { return processes_[kRootProcess]; }
  const std::vector<ProfiledThread>& threads() const { return threads_; }
  ProfiledThread& thread(ThreadIndex index) { return threads_[index]; }

  // Selected samples' weights summed by stack and state, one map per thread; the key order is by
  // id, then as ThreadState has them.
  const std::map<SelectedStack, uint64_t>& SelectedStacks(ThreadIndex thread) const {
    return selected_[thread];
  }
  // The sizes of all these maps together.
  size_t selected_stack_count() const { return selected_stack_count_; }
  // How many those are.
  uint64_t SelectedSamples(ThreadIndex thread) const;
  // Selected samples in the order of time.
  const SampleLog& log() const { return log_; }
  // Of all samples, selected or not.
  const GilBlame& gil_blame() const { return gil_blame_; }
  const LockWaits& lock_waits() const { return lock_waits_; }
  // Passes that saw all threads but one stopped, by the stack of that one.
  const std::map<StackId, uint64_t>& stops_by() const { return stops_by_; }

  SamplingInfo sampling;
  ProcessInfo totals;

 private:
  struct StackNode {
    StackId caller;
    FrameId frame;
  };

  std::vector<Frame> frames_;
  absl::flat_hash_map<Frame, FrameId> frame_ids_;
  std::vector<StackNode> stacks_;
  absl::flat_hash_map<uint64_t, StackId> stack_ids_;  // key: caller << 32 | frame
  std::vector<WaitedLock> locks_;
  absl::flat_hash_map<WaitedLock, LockId> lock_ids_;
  std::vector<TargetInfo> processes_;
  std::vector<ProfiledThread> threads_;
  std::vector<std::map<SelectedStack, uint64_t>> selected_;
  size_t selected_stack_count_ = 0;
  SampleLog log_;
  GilBlame gil_blame_;
  LockWaits lock_waits_;
  std::map<StackId, uint64_t> stops_by_;
  bool keeps_samples_ = true;
  std::function<void(const LoggedSample&)> on_sample_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROFILE_PROFILE_H_
