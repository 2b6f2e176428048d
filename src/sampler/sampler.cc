#include "sampler/sampler.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <random>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "process/os_thread.h"
#include "python/thread_names.h"

namespace fthreadprof {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::microseconds kVerifyInterval = 10ms;
constexpr size_t kMaxPending = 8192;
constexpr std::chrono::microseconds kProcessCpuInterval = 500us;
constexpr std::chrono::microseconds kSleepSlice = 100ms;
constexpr std::chrono::microseconds kCpuInterval = 250ms;
constexpr std::chrono::microseconds kNamesInterval = 1s;
constexpr std::chrono::microseconds kProgressInterval = 250ms;
// Passes in which the name of a new thread is looked for each time; threading names a thread as it
// starts.
constexpr uint64_t kNameTries = 20;

double OwnCpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Asks the scheduler (EEVDF, Linux 6.12 and later) for short slices: a thread that wants little at
// a time gets its turn sooner, and so is late less often beside busy threads. Older kernels ignore
// it, and it needs no privilege.
void PreferEarlyTurns() {
  if (sched_getscheduler(0) != SCHED_OTHER) return;  // what the user chose stays
  struct {  // struct sched_attr, which Debian 12's libc does not declare: linux/sched/types.h
    uint32_t size = 48;
    uint32_t sched_policy = SCHED_OTHER;
    uint64_t sched_flags = 0;
    int32_t sched_nice = getpriority(PRIO_PROCESS, 0);
    uint32_t sched_priority = 0;
    uint64_t sched_runtime = 100'000;  // ns, the least that the kernel takes
    uint64_t sched_deadline = 0;
    uint64_t sched_period = 0;
  } attributes;
  static_assert(sizeof attributes == 48);
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

// CLOCK_MONOTONIC, computed with inline: it is asked several times a pass.
using Clock = std::chrono::steady_clock;

timespec ToTimespec(Clock::time_point time) {
  const std::chrono::nanoseconds since_epoch = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  return {.tv_sec = seconds.count(), .tv_nsec = (since_epoch - seconds).count()};
}

double ToSeconds(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

// A frame of a thread's last stack, and the stack up to it.
struct Sampler::InternedFrame {
  uint64_t code_serial;
  int line;
  StackId stack;
};

// A thread of the target and its place in the profile.
struct Sampler::KnownThread {
  uint64_t ident = 0;
  uint64_t native_thread_id = 0;
  ThreadIndex index = 0;
  pid_t tid = 0;
  InterpreterPtr interpreter;
  bool named = false;
  // A name that was found under this thread's ident. It is believed when the next pass still sees
  // the thread: idents are used again, and the thread may have ended between the reading of its
  // state and that of the names.
  std::optional<std::string> found_name;
  uint64_t first_pass = 0;
  uint64_t last_pass = 0;
  double cpu_before_s = 0;  // what it had used when we came
  std::optional<StackId> last_stack;
  std::vector<InternedFrame> last_frames;  // outermost first
};

Sampler::Sampler(OsProcess& process, ProcessMemory& memory, const SamplerOptions& options,
                 Profile& profile)
    : process_(process),
      memory_(memory),
      options_(options),
      profile_(profile),
      activity_(process.pid()) {
  prctl(PR_SET_TIMERSLACK, 1UL);
  PreferEarlyTurns();
  profile_.sampling.requested_hz = options.rate_hz;
  profile_.sampling.mode = options.mode;
}

Sampler::~Sampler() = default;

bool Sampler::SleepUntil(Clock::time_point due) {
  if (Clock::now() >= due) return !stop_requested_.load(std::memory_order_relaxed);
  while (!stop_requested_.load(std::memory_order_relaxed)) {
    // In slices: a stop that is requested just before the sleep, and the target's end, don't wait
    // for a slow tick.
    const Clock::time_point slice_end = std::min(due, Clock::now() + kSleepSlice);
    const timespec until = ToTimespec(slice_end);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    if (Clock::now() >= due || (slice_end < due && !process_.IsAlive())) {
      return !stop_requested_.load(std::memory_order_relaxed);
    }
  }
  return false;
}

absl::StatusOr<SamplingEnd> Sampler::Run(const PythonRuntime& runtime) {
  InterpreterReader reader(memory_, runtime);
  names_ = std::make_unique<ThreadNames>(memory_, reader.offsets());
  if (options_.blocking && stopper_ == nullptr) {
    stopper_ = std::make_unique<ProcessStopper>(process_.pid(), options_.target_is_child);
  }
  // Ticks a little off the beat, so that a target with a rhythm of its own is not always met at the
  // same point.
  std::minstd_rand random(20240901);
  const auto period = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(1 / options_.rate_hz));
  constexpr uint32_t kJitterSteps = 1024;
  const Clock::duration jitter_step = period / (2 * kJitterSteps);
  run_started_ = Clock::now();
  // Threads that are there when we come have used CPU before; not so those of a command we
  // launched.
  needs_cpu_baseline_ = started_.has_value() || !options_.target_is_child;
  if (!started_) {
    started_ = run_started_;
    first_cpu_s_ = last_cpu_s_ = process_.CpuSeconds().value_or(0);
  }
  Clock::time_point tick = run_started_;
  const Clock::time_point deadline = options_.duration
                                         ? *started_ + absl::ToChronoNanoseconds(*options_.duration)
                                         : Clock::time_point::max();
  SamplingEnd end = SamplingEnd::kStopRequested;
  absl::Status failure;
  while (SleepUntil(
      std::min(deadline, tick + jitter_step * static_cast<int>(random() % kJitterSteps)))) {
    Clock::time_point now = Clock::now();
    if (now >= deadline) {
      end = SamplingEnd::kDuration;
      break;
    }
    const absl::Status status = TakePass(reader);
    if (!status.ok()) {
      const bool gone =
          absl::IsNotFound(status) || absl::IsUnavailable(status) || absl::IsDataLoss(status);
      if (!gone) failure = status;
      end = absl::IsNotFound(status) ? SamplingEnd::kTargetEnded : SamplingEnd::kTargetChanged;
      break;
    }
    now = Clock::now();
    ReportProgress(now);
    tick += period;
    if (now - tick > period) {
      // Too late for this one: the ticks that went by are not made up for.
      const int64_t missed = (now - tick) / period;
      profile_.sampling.late += static_cast<uint64_t>(missed);
      tick += period * missed;
    }
  }
  if (!CommitVerified(reader).ok()) CommitUnverifiable();
  UpdateAllCpu();
  sampled_ += Clock::now() - run_started_;
  for (const auto& entry : known_) activity_.Forget(entry.second->tid);
  known_.clear();
  unnamed_.clear();
  to_confirm_.clear();
  names_.reset();
  if (!failure.ok()) return failure;
  return end;
}

absl::Status Sampler::TakePass(InterpreterReader& reader) {
  if (stopper_ != nullptr) FTP_RETURN_IF_ERROR(stopper_->Stop());
  const absl::Status status = reader.ReadPass();
  if (stopper_ != nullptr && !status.ok()) stopper_->Resume();
  FTP_RETURN_IF_ERROR(status);
  ++pass_;
  pass_time_us_ = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - *started_).count());
  NameThreads(reader);
  SampleThreads(reader);
  if (stopper_ != nullptr) stopper_->Resume();
  const Clock::time_point now = Clock::now();
  if (now - last_verified_ >= kVerifyInterval || pending_.size() >= kMaxPending) {
    FTP_RETURN_IF_ERROR(CommitVerified(reader));
    last_verified_ = now;
  }
  if (now - last_cpu_ >= kCpuInterval) {
    UpdateAllCpu();
    UpdateFigures(sampled_ + (now - run_started_));
    last_cpu_ = now;
  }
  needs_cpu_baseline_ = false;
  return absl::OkStatus();
}

Sampler::KnownThread& Sampler::Recognize(const PythonThread& thread) {
  std::unique_ptr<KnownThread>& slot = known_[thread.state_address];
  if (slot != nullptr && slot->ident == thread.ident &&
      slot->native_thread_id == thread.native_thread_id) {
    return *slot;
  }
  if (slot != nullptr) {
    std::erase(unnamed_, slot.get());
    activity_.Forget(slot->tid);
  }
  slot = std::make_unique<KnownThread>();
  slot->ident = thread.ident;
  slot->native_thread_id = thread.native_thread_id;
  slot->interpreter = thread.interpreter;
  slot->first_pass = pass_;
  const auto inner_tid = static_cast<pid_t>(thread.native_thread_id);
  slot->tid = process_.HostTid(inner_tid).value_or(inner_tid);
  // The main thread has its name before `threading` is imported, if it ever is.
  slot->index = profile_.AddThread(slot->tid, slot->tid == process_.pid()
                                                  ? "MainThread"
                                                  : OsThread(process_.pid(), slot->tid).Comm());
  if (needs_cpu_baseline_) {
    slot->cpu_before_s = OsThread(process_.pid(), slot->tid).CpuSeconds().value_or(0);
  }
  unnamed_.push_back(slot.get());
  return *slot;
}

// Looks for the names of threads that have none, and now and then for new names of all.
void Sampler::NameThreads(InterpreterReader& reader) {
  for (const PythonThread* thread : reader.threads()) {
    if (thread->native_thread_id != 0) Recognize(*thread).last_pass = pass_;
  }
  ForgetEnded();
  ConfirmNames();
  const Clock::time_point now = Clock::now();
  const bool all = now - last_names_ >= kNamesInterval;
  const bool some = std::any_of(unnamed_.begin(), unnamed_.end(), [&](const KnownThread* known) {
    return pass_ - known->first_pass < kNameTries;
  });
  if (!all && !some) return;
  if (all) last_names_ = now;
  absl::flat_hash_set<uint64_t> done;
  for (const PythonThread* any : reader.threads()) {
    if (!done.insert(any->interpreter.address()).second) continue;
    const auto names = names_->Read(any->interpreter);
    if (!names.ok()) continue;  // it changes just now: the next pass tries again
    for (const auto& entry : known_) {
      KnownThread& known = *entry.second;
      if (known.interpreter != any->interpreter || (known.named && !all)) continue;
      const auto name = names->find(known.ident);
      if (name == names->end()) continue;
      known.found_name = name->second;
      to_confirm_.push_back(entry.first);
    }
  }
}

// Gives the threads that are still there the names that were found in the pass before. Only the
// list of threads tells that they are: the state of one that has ended says what it said, and
// another thread may have its ident, and a name, by now.
void Sampler::ConfirmNames() {
  for (const uint64_t state_address : to_confirm_) {
    const auto entry = known_.find(state_address);
    if (entry == known_.end() || !entry->second->found_name) continue;
    KnownThread& known = *entry->second;
    profile_.thread(known.index).name = *std::exchange(known.found_name, std::nullopt);
    known.named = true;
  }
  if (!to_confirm_.empty()) {
    std::erase_if(unnamed_, [](const KnownThread* known) { return known->named; });
  }
  to_confirm_.clear();
}

void Sampler::ForgetEnded() {
  absl::erase_if(known_, [&](const auto& entry) {
    KnownThread& known = *entry.second;
    if (known.last_pass == pass_) return false;
    std::erase(unnamed_, &known);
    activity_.Forget(known.tid);
    return true;
  });
}

void Sampler::SampleThreads(InterpreterReader& reader) {
  size_t attached = 0;
  for (const PythonThread* thread : reader.threads()) {
    attached += thread->attachment == PythonThread::Attachment::kAttached &&
                thread->stack != PythonThread::Stack::kEnded;
  }
  ProcessInfo& process = profile_.totals;
  if (process.parallelism_passes.size() <= attached)
    process.parallelism_passes.resize(attached + 1);
  ++process.parallelism_passes[attached];
  process.gil_enabled_passes += reader.gil().enabled;
  process.gil_held_passes += reader.gil().locked;
  profile_.target().gil_enabled = reader.gil().enabled;
  const Clock::time_point now = Clock::now();
  if (now - last_process_cpu_ >= kProcessCpuInterval) {
    last_process_cpu_ = now;
    last_cpu_s_ = process_.CpuSeconds().value_or(last_cpu_s_);
    activity_.UpdateCpu(ToSeconds(now.time_since_epoch()), last_cpu_s_, attached);
  }
  for (const PythonThread* thread : reader.threads()) {
    const auto known = known_.find(thread->state_address);
    if (known != known_.end()) SampleThread(*thread, *known->second, reader.gil());
  }
}

void Sampler::SampleThread(const PythonThread& thread, KnownThread& known, const GilState& gil) {
  if (thread.stack == PythonThread::Stack::kTorn) {
    ++profile_.sampling.torn;
    known.last_stack.reset();
  }
  if (thread.stack != PythonThread::Stack::kComplete) return;
  const ThreadState state = activity_.Classify(thread, known.tid, gil);
  if (!thread.unchanged || !known.last_stack) known.last_stack = Intern(thread.frames, known);
  const bool has_gil = gil.enabled ? gil.locked && gil.holder == thread.state_address
                                   : state == ThreadState::kRunning;
  pending_.push_back({.thread = known.index,
                      .stack = *known.last_stack,
                      .state = state,
                      .has_gil = has_gil,
                      .time_us = pass_time_us_});
}

// The stack of `frames` in the profile. What is common with the thread's last stack, from the
// outermost frame on, is not looked up again.
StackId Sampler::Intern(const std::vector<StackFrame>& frames, KnownThread& known) {
  std::vector<InternedFrame>& last = known.last_frames;
  const size_t depth = frames.size();
  size_t common = 0;
  while (common < depth && common < last.size()) {
    const StackFrame& frame = frames[depth - 1 - common];
    if (last[common].code_serial != frame.code->serial || last[common].line != frame.line) break;
    ++common;
  }
  last.resize(common);
  StackId stack = common == 0 ? kEmptyStack : last.back().stack;
  for (size_t i = common; i < depth; ++i) {
    CodeInfo& code = *frames[depth - 1 - i].code;
    const int line = frames[depth - 1 - i].line;
    const auto [id, is_new] = code.frame_ids.try_emplace(line, 0);
    if (is_new) id->second = profile_.InternFrame({code.function, code.file, line});
    stack = profile_.InternStack(stack, id->second);
    last.push_back({code.serial, line, stack});
  }
  return stack;
}

absl::Status Sampler::CommitVerified(InterpreterReader& reader) {
  std::vector<const CodeInfo*> stale;
  FTP_RETURN_IF_ERROR(reader.VerifyCode(stale));
  absl::flat_hash_set<FrameId> doubtful;
  for (const CodeInfo* code : stale) {
    for (const auto& entry : code->frame_ids) doubtful.insert(entry.second);
  }
  for (const LoggedSample& sample : pending_) {
    bool drop = false;
    if (!doubtful.empty()) {
      for (StackId at = sample.stack; at != kEmptyStack && !drop; at = profile_.Caller(at)) {
        drop = doubtful.contains(profile_.InnermostFrame(at));
      }
    }
    if (drop) {
      ++profile_.sampling.torn;
      continue;
    }
    verified_stacks_.insert(sample.stack);
    profile_.AddSample(sample);
    ++profile_.sampling.samples;
  }
  pending_.clear();
  return absl::OkStatus();
}

// The target is gone, and with it the means to verify the last few milliseconds. A stack that stood
// the test before is kept.
void Sampler::CommitUnverifiable() {
  for (const LoggedSample& sample : pending_) {
    if (!verified_stacks_.contains(sample.stack)) {
      ++profile_.sampling.torn;
      continue;
    }
    profile_.AddSample(sample);
    ++profile_.sampling.samples;
  }
  pending_.clear();
}

void Sampler::UpdateAllCpu() {
  for (const auto& entry : known_) {
    const KnownThread& known = *entry.second;
    const auto cpu_s = OsThread(process_.pid(), known.tid).CpuSeconds();
    if (cpu_s.ok()) profile_.thread(known.index).cpu_s = *cpu_s - known.cpu_before_s;
  }
}

void Sampler::ReportProgress(Clock::time_point now) {
  if (!on_progress_ || now - last_progress_ < kProgressInterval) return;
  last_progress_ = now;
  const SamplingInfo& sampling = profile_.sampling;
  on_progress_({.elapsed = absl::FromChrono(now - *started_),
                .passes = pass_,
                .samples = sampling.samples,
                .torn = sampling.torn,
                .late = sampling.late});
}

void Sampler::UpdateFigures(Clock::duration sampled) {
  SamplingInfo& sampling = profile_.sampling;
  sampling.duration_s = ToSeconds(sampled);
  sampling.passes = pass_;
  sampling.profiler_cpu_s = OwnCpuSeconds();
  profile_.totals.cpu_s = last_cpu_s_ - first_cpu_s_;
}

void Sampler::Finish() { UpdateFigures(sampled_); }

}  // namespace fthreadprof
