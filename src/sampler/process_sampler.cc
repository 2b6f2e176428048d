#include "sampler/process_sampler.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "process/os_thread.h"
#include "python/thread_names.h"
#include "sampler/sampling_clock.h"

namespace fthreadprof {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::microseconds kProcessCpuInterval = 500us;
constexpr std::chrono::microseconds kCpuInterval = 250ms;
constexpr std::chrono::microseconds kNamesInterval = 1s;
// Passes in which the name of a new thread is looked for each time; threading names a thread as it
// starts.
constexpr uint64_t kNameTries = 20;

}  // namespace

void PassFigures::Add(const PassFigures& other) {
  attached += other.attached;
  wanting += other.wanting;
  gil_enabled |= other.gil_enabled;
  gil_held |= other.gil_held;
  gil_handoffs += other.gil_handoffs;
  collects |= other.collects;
  stopped |= other.stopped;
  stops += other.stops;
}

// A frame of a thread's last stack, and the stack up to it.
struct ProcessSampler::InternedFrame {
  uint64_t code_serial;
  int line;
  StackId stack;
};

// A thread of the target and its place in the profile.
struct ProcessSampler::KnownThread {
  uint64_t ident = 0;
  uint64_t native_thread_id = 0;
  ThreadIndex index = 0;
  pid_t tid = 0;
  InterpreterPtr interpreter;
  bool is_foreign = false;  // of the process that ours was forked from
  bool named = false;
  // A name that was found under this thread's ident. It is believed when the next pass still sees
  // the thread: idents are used again, and the thread may have ended between the reading of its
  // state and that of the names.
  std::optional<std::string> found_name;
  uint64_t first_pass = 0;
  uint64_t last_pass = 0;
  SchedulerTimes before;  // what it had used when we came
  std::optional<StackId> last_stack;
  std::vector<InternedFrame> last_frames;  // outermost first
};

ProcessSampler::ProcessSampler(OsProcess& process, ProcessMemory& memory,
                               const ProcessSamplerOptions& options, Profile& profile)
    : process_(process),
      memory_(memory),
      options_(options),
      profile_(profile),
      activity_(process.pid()) {}

ProcessSampler::~ProcessSampler() = default;

void ProcessSampler::Begin(const PythonRuntime& runtime, bool needs_cpu_baseline) {
  reader_ = std::make_unique<InterpreterReader>(memory_, runtime);
  names_ = std::make_unique<ThreadNames>(memory_, reader_->offsets());
  locks_ = std::make_unique<LockReader>(memory_, reader_->offsets());
  holders_ = std::make_unique<LockHolders>(memory_, *reader_);
  switches_.clear();
  activity_.set_locks(locks_.get());
  if (runtime.offsets.free_threaded) {
    gil_observer_ = std::make_unique<GilObserver>(memory_, reader_->offsets());
  }
  if (options_.index) profile_.process(*options_.index).gil_cause.reset();
  if (options_.tasks) {
    tasks_ = std::make_unique<TaskSampler>(memory_, reader_->offsets(), process_.pid(), profile_);
  }
  version_ = runtime.offsets.VersionString();
  free_threaded_ = runtime.offsets.free_threaded;
  is_described_ = false;
  if (options_.blocking && stopper_ == nullptr) {
    stopper_ = std::make_unique<ProcessStopper>(process_.pid(), options_.is_child);
  }
  needs_cpu_baseline_ = needs_cpu_baseline;
  if (!has_cpu_) {
    has_cpu_ = true;
    last_cpu_s_ = process_.CpuSeconds().value_or(0);
    first_cpu_s_ = options_.cpu_from_zero ? 0 : last_cpu_s_;
  }
}

absl::Status ProcessSampler::TakePass(Clock::time_point started,
                                      std::chrono::nanoseconds task_time) {
  if (stopper_ != nullptr) FTP_RETURN_IF_ERROR(stopper_->Stop());
  const absl::Status status = reader_->ReadPass();
  if (stopper_ != nullptr && !status.ok()) stopper_->Resume();
  FTP_RETURN_IF_ERROR(status);
  ++pass_;
  last_pass_time_us_ = pass_time_us_;
  pass_time_us_ = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started).count());
  NameThreads();
  SampleThreads();
  if (tasks_ != nullptr) LookAtTasks(task_time);
  if (stopper_ != nullptr) stopper_->Resume();
  const Clock::time_point now = Clock::now();
  if (now - last_cpu_ >= kCpuInterval) {
    UpdateAllCpu();
    last_cpu_ = now;
  }
  needs_cpu_baseline_ = false;
  return absl::OkStatus();
}

ProcessSampler::KnownThread& ProcessSampler::Recognize(const PythonThread& thread) {
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
  slot->is_foreign = options_.may_be_forked && !IsOwn(inner_tid);
  if (!slot->is_foreign) {
    slot->tid = process_.HostTid(inner_tid).value_or(inner_tid);
    Enroll(thread, *slot);
  }
  return *slot;
}

bool ProcessSampler::IsOwn(pid_t inner_tid) {
  const std::optional<pid_t> tid = process_.HostTid(inner_tid);
  return tid && access(absl::StrCat("/proc/", process_.pid(), "/task/", *tid).c_str(), F_OK) == 0;
}

// Gives the thread, and its process, a place in the profile.
void ProcessSampler::Enroll(const PythonThread& thread, KnownThread& known) {
  has_threads_ = true;
  if (options_.may_be_forked && !is_described_) {
    is_described_ = true;
    TargetInfo info = {.pid = process_.pid(),
                       .parent_pid = options_.parent_pid,
                       .python = version_,
                       .free_threaded = free_threaded_,
                       .executable = process_.Executable(),
                       .command = process_.CommandLine()};
    if (!options_.index) options_.index = profile_.AddProcess(TargetInfo());
    profile_.process(*options_.index) = std::move(info);
  }
  // The main thread has its name before `threading` is imported, if it ever is.
  known.index = profile_.AddThread(
      known.tid,
      known.tid == process_.pid() ? "MainThread" : OsThread(process_.pid(), known.tid).Comm(),
      *options_.index);
  profile_.thread(known.index).interpreter = thread.interpreter_id;
  if (reader_->has_subinterpreters()) TakeNameOfSameThread(known);
  known.before = TimesBefore(known.tid);
  unnamed_.push_back(&known);
}

// What the thread had used before it ran Python while we watched: native threads come to Python now
// and then, and are met anew each time. One that started since the last pass has used no more than
// there was time.
SchedulerTimes ProcessSampler::TimesBefore(pid_t tid) const {
  if (!needs_cpu_baseline_ && pass_ == 1) return {};
  SchedulerTimes times = OsThread(process_.pid(), tid).Times().value_or(SchedulerTimes());
  if (needs_cpu_baseline_) return times;
  const double since_s = static_cast<double>(pass_time_us_ - last_pass_time_us_) * 1e-6;
  times.cpu_s = std::max(0.0, times.cpu_s - since_s);
  times.run_queue_s = std::max(0.0, times.run_queue_s - since_s);
  return times;
}

// Looks for the names of threads that have none, and now and then for new names of all.
void ProcessSampler::NameThreads() {
  for (const PythonThread* thread : reader_->threads()) {
    if (thread->native_thread_id != 0) Recognize(*thread).last_pass = pass_;
  }
  ForgetEnded();
  ConfirmNames();
  const Clock::time_point now = Clock::now();
  const bool all = now - last_names_ >= kNamesInterval;
  const bool some = std::any_of(unnamed_.begin(), unnamed_.end(), [&](const KnownThread* known) {
    return pass_ - known->first_pass < kNameTries;
  });
  if (all) last_names_ = now;
  if (all || some) FindNames(all);
}

void ProcessSampler::FindNames(bool all) {
  absl::flat_hash_set<uint64_t> done;
  for (const PythonThread* any : reader_->threads()) {
    if (!done.insert(any->interpreter.address()).second) continue;
    const auto names = names_->Read(any->interpreter);
    if (!names.ok()) continue;  // it changes just now: the next pass tries again
    for (const auto& entry : known_) {
      KnownThread& known = *entry.second;
      if (known.interpreter != any->interpreter || known.is_foreign || (known.named && !all))
        continue;
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
void ProcessSampler::ConfirmNames() {
  for (const uint64_t state_address : to_confirm_) {
    const auto entry = known_.find(state_address);
    if (entry == known_.end() || !entry->second->found_name) continue;
    KnownThread& known = *entry->second;
    profile_.thread(known.index).name = *std::exchange(known.found_name, std::nullopt);
    known.named = true;
    if (!reader_->has_subinterpreters()) continue;
    for (const KnownThread* unnamed : unnamed_) {
      if (!unnamed->named && unnamed->tid == known.tid) TakeNameOfSameThread(*unnamed);
    }
  }
  if (!to_confirm_.empty()) {
    std::erase_if(unnamed_, [](const KnownThread* known) { return known->named; });
  }
  to_confirm_.clear();
}

void ProcessSampler::ForgetEnded() {
  absl::erase_if(known_, [&](const auto& entry) {
    KnownThread& known = *entry.second;
    if (known.last_pass == pass_) return false;
    std::erase(unnamed_, &known);
    activity_.Forget(known.tid);
    return true;
  });
}

// A subinterpreter that has not imported `threading` has no name for the thread that runs in it,
// but the interpreter that the thread came from has.
void ProcessSampler::TakeNameOfSameThread(const KnownThread& known) {
  for (const auto& entry : known_) {
    const KnownThread& other = *entry.second;
    if (!other.is_foreign && other.named && other.tid == known.tid) {
      profile_.thread(known.index).name = profile_.threads()[other.index].name;
    }
  }
}

bool ProcessSampler::RunsAnother() const {
  if (!has_threads_) return false;
  const TargetInfo& before = profile_.processes()[*options_.index];
  return process_.Executable() != before.executable || process_.CommandLine() != before.command;
}

// Threads that run Python code; not those of the process that ours was forked from.
size_t ProcessSampler::CountAttached() const {
  size_t attached = 0;
  for (const PythonThread* thread : reader_->threads()) {
    if (thread->attachment != PythonThread::Attachment::kAttached ||
        thread->stack == PythonThread::Stack::kEnded) {
      continue;
    }
    const auto known = options_.may_be_forked ? known_.find(thread->state_address) : known_.end();
    attached += known == known_.end() || !known->second->is_foreign;
  }
  return attached;
}

// A thread that runs code in another interpreter has a thread state in each of them, and is only in
// the innermost: the one that is attached, else that of the newest interpreter. What it does is
// counted once.
void ProcessSampler::FindCovered() {
  covered_.clear();
  if (!reader_->has_subinterpreters()) return;
  absl::flat_hash_map<uint64_t, const PythonThread*> innermost;  // by native id
  const auto rank = [](const PythonThread& thread) {
    return std::make_pair(thread.attachment == PythonThread::Attachment::kAttached,
                          thread.interpreter_id);
  };
  for (const PythonThread* thread : reader_->threads()) {
    if (thread->stack == PythonThread::Stack::kEmpty ||
        thread->stack == PythonThread::Stack::kEnded) {
      continue;
    }
    const auto [entry, is_new] = innermost.try_emplace(thread->native_thread_id, thread);
    if (is_new) continue;
    if (rank(*entry->second) < rank(*thread)) {
      covered_.insert(entry->second->state_address);
      entry->second = thread;
    } else {
      covered_.insert(thread->state_address);
    }
  }
}

void ProcessSampler::LookAtGil() {
  if (!options_.index) return;
  TargetInfo& info = profile_.process(*options_.index);
  info.gil_enabled = reader_->gil().for_good;
  if (gil_observer_ != nullptr && gil_observer_->Look(*reader_, pass_time_us_)) {
    info.gil_cause = gil_observer_->cause();
  }
}

void ProcessSampler::TakeFigures() {
  const bool was_stopped = figures_.stopped;
  figures_ = {.attached = CountAttached(),
              .gil_enabled = reader_->AnyGilOn(),
              .gil_held = reader_->AnyGilHeld(),
              .gil_handoffs = CountHandoffs(),
              .collects = reader_->AnyCollects()};
  figures_.wanting = figures_.attached;
  FindStop();
  figures_.stops = figures_.stopped && !was_stopped ? 1 : 0;
}

uint64_t ProcessSampler::CountHandoffs() {
  uint64_t handoffs = 0;
  for (size_t i = 0; i < reader_->gil_count(); ++i) {
    const GilState& gil = reader_->GilAt(i);
    const auto [before, is_new] = switches_.try_emplace(gil.address, gil.switches);
    // Another GIL may have the address of one that is gone.
    if (!is_new && gil.switches > before->second) handoffs += gil.switches - before->second;
    before->second = gil.switches;
  }
  return handoffs;
}

// The world is stopped while some threads are suspended, and but one runs that was not asked to
// stop: the one that asked. When the threads are let go, one by one, there soon are more.
void ProcessSampler::FindStop() {
  bool suspended = false;
  size_t going_on = 0;
  stopper_thread_ = nullptr;
  for (const PythonThread* thread : reader_->threads()) {
    suspended |= thread->attachment == PythonThread::Attachment::kSuspended;
    if (thread->attachment == PythonThread::Attachment::kAttached && !thread->must_stop &&
        thread->stack != PythonThread::Stack::kEnded) {
      ++going_on;
      stopper_thread_ = thread;
    }
  }
  figures_.stopped = suspended && going_on < 2;
  if (!figures_.stopped) stopper_thread_ = nullptr;
}

void ProcessSampler::SampleThreads() {
  TakeFigures();
  waits_.clear();
  waiting_.clear();
  LookAtGil();
  const Clock::time_point now = Clock::now();
  if (now - last_process_cpu_ >= kProcessCpuInterval) {
    last_process_cpu_ = now;
    last_cpu_s_ = process_.CpuSeconds().value_or(last_cpu_s_);
    activity_.UpdateCpu(ToSeconds(now.time_since_epoch()), last_cpu_s_, figures_.attached);
  }
  FindCovered();
  for (const PythonThread* thread : reader_->threads()) {
    const auto known = known_.find(thread->state_address);
    if (known == known_.end() || known->second->is_foreign) continue;
    const bool is_covered = !covered_.empty() && covered_.contains(thread->state_address);
    if (!is_covered) SampleThread(*thread, *known->second);
  }
  if (!waits_.empty()) FindHolders();
}

void ProcessSampler::SampleThread(const PythonThread& thread, KnownThread& known) {
  if (thread.stack == PythonThread::Stack::kTorn) {
    ++profile_.sampling.torn;
    known.last_stack.reset();
  }
  if (thread.stack != PythonThread::Stack::kComplete) return;
  const GilState& gil = reader_->GilOf(thread);
  const ThreadState state = activity_.Classify(thread, known.tid, gil);
  figures_.wanting += state == ThreadState::kGilWait;
  if (!thread.unchanged || !known.last_stack) known.last_stack = Intern(thread.frames, known);
  const bool has_gil = gil.enabled ? gil.locked && gil.holder == thread.state_address
                                   : state == ThreadState::kRunning;
  pending_.push_back({.thread = known.index,
                      .stack = *known.last_stack,
                      .state = state,
                      .has_gil = has_gil,
                      .time_us = pass_time_us_,
                      .stops_world = &thread == stopper_thread_});
  if (state != ThreadState::kLockWait && state != ThreadState::kNativeLock) return;
  const ParkedOn& parked = activity_.LastParked(known.tid);
  pending_.back().lock = InternLock(parked);
  if (state == ThreadState::kNativeLock) return;
  waits_.push_back({.waiter = &thread, .parked = parked});
  waiting_.push_back(pending_.size() - 1);
}

// Who holds the locks that threads of this pass wait for, as far as its own stack is known.
void ProcessSampler::FindHolders() {
  holders_->Find(waits_);
  for (size_t i = 0; i < waits_.size(); ++i) {
    // A thread that is in another interpreter now has no sample here.
    if (waits_[i].holder == nullptr || covered_.contains(waits_[i].holder->state_address)) continue;
    const auto holder = known_.find(waits_[i].holder->state_address);
    if (holder == known_.end() || waits_[i].holder->stack != PythonThread::Stack::kComplete)
      continue;
    pending_[waiting_[i]].holder = holder->second->last_stack.value_or(kEmptyStack);
  }
}

LockId ProcessSampler::InternLock(const ParkedOn& parked) {
  const std::optional<LockKind> kind = LockKindOf(parked);
  if (!kind) return 0;
  return profile_.InternLock({.process = options_.index.value_or(kRootProcess),
                              .kind = *kind,
                              .type = parked.type,
                              .address = parked.address});
}

void ProcessSampler::LookAtTasks(std::chrono::nanoseconds task_time) {
  if (!tasks_->Continue(reader_->threads(), pass_, task_time)) return;
  const auto thread_of = [&](uint64_t ident) -> std::optional<ThreadIndex> {
    std::optional<ThreadIndex> main;
    for (const auto& entry : known_) {
      const KnownThread& known = *entry.second;
      if (known.is_foreign) continue;
      if (known.ident == ident) return known.index;
      if (known.tid == process_.pid()) main = known.index;
    }
    return main;
  };
  tasks_->Count(thread_of, pass_time_us_, pending_);
}

// The stack of `frames` in the profile. What is common with the thread's last stack, from the
// outermost frame on, is not looked up again.
StackId ProcessSampler::Intern(const std::vector<StackFrame>& frames, KnownThread& known) {
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

absl::Status ProcessSampler::Settle(std::vector<LoggedSample>& settled) {
  std::vector<const CodeInfo*> stale;
  FTP_RETURN_IF_ERROR(reader_->VerifyCode(stale));
  absl::flat_hash_set<FrameId> doubtful;
  for (const CodeInfo* code : stale) {
    for (const auto& entry : code->frame_ids) doubtful.insert(entry.second);
  }
  const auto is_doubtful = [&](StackId stack) {
    for (; stack != kEmptyStack && !doubtful.empty(); stack = profile_.Caller(stack)) {
      if (doubtful.contains(profile_.InnermostFrame(stack))) return true;
    }
    return false;
  };
  for (LoggedSample& sample : pending_) {
    if (is_doubtful(sample.stack)) {
      ++profile_.sampling.torn;
      continue;
    }
    if (is_doubtful(sample.holder)) sample.holder = kEmptyStack;
    verified_stacks_.insert(sample.stack);
    settled.push_back(sample);
  }
  pending_.clear();
  return absl::OkStatus();
}

// The process is gone, and with it the means to verify the last few milliseconds. A stack that
// stood the test before is kept.
void ProcessSampler::SettleUnverifiable(std::vector<LoggedSample>& settled) {
  for (LoggedSample& sample : pending_) {
    if (verified_stacks_.contains(sample.stack)) {
      if (!verified_stacks_.contains(sample.holder)) sample.holder = kEmptyStack;
      settled.push_back(sample);
    } else {
      ++profile_.sampling.torn;
    }
  }
  pending_.clear();
}

void ProcessSampler::UpdateAllCpu() {
  for (const auto& entry : known_) {
    const KnownThread& known = *entry.second;
    if (known.is_foreign) continue;
    const auto times = OsThread(process_.pid(), known.tid).Times();
    if (!times.ok()) continue;
    ProfiledThread& thread = profile_.thread(known.index);
    thread.cpu_s = times->cpu_s - known.before.cpu_s;
    thread.run_queue_s = times->run_queue_s - known.before.run_queue_s;
  }
  if (options_.index) profile_.process(*options_.index).cpu_s = cpu_s();
}

void ProcessSampler::End(std::vector<LoggedSample>& settled) {
  if (!Settle(settled).ok()) SettleUnverifiable(settled);
  UpdateAllCpu();
  for (const auto& entry : known_) activity_.Forget(entry.second->tid);
  known_.clear();
  unnamed_.clear();
  to_confirm_.clear();
  activity_.set_locks(nullptr);
  holders_.reset();
  locks_.reset();
  if (gil_observer_ != nullptr && gil_observer_->Finish() && options_.index) {
    profile_.process(*options_.index).gil_cause = gil_observer_->cause();
  }
  gil_observer_.reset();
  names_.reset();
  if (tasks_ != nullptr) task_problem_ = tasks_->problem();
  tasks_.reset();
  reader_.reset();
}

}  // namespace fthreadprof
