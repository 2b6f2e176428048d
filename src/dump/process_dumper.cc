#include "dump/process_dumper.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "contention/gil_culprit.h"
#include "contention/lock_holders.h"
#include "contention/thread_activity.h"
#include "process/os_thread.h"
#include "process/process_stopper.h"
#include "python/thread_names.h"

namespace fthreadprof {
namespace {

// A process that runs on is looked at again until nothing is torn, so often at most.
constexpr int kAttempts = 20;
constexpr absl::Duration kPause = absl::Milliseconds(1);

bool IsFatal(const absl::Status& status) {
  return !absl::IsDataLoss(status) && !absl::IsUnavailable(status);
}

}  // namespace

absl::StatusOr<ProcessDump> ProcessDumper::Dump(const PythonRuntime& runtime) {
  InterpreterReader reader(memory_, runtime);
  std::optional<Attempt> best;
  absl::Status last;
  for (int i = 0; i < kAttempts && (!best || best->gaps > 0); ++i) {
    if (i > 0) absl::SleepFor(kPause);
    absl::StatusOr<Attempt> attempt = TakeAttempt(reader);
    last = attempt.status();
    if (!attempt.ok() && IsFatal(last)) break;
    if (attempt.ok() && (!best || attempt->gaps < best->gaps)) best = *std::move(attempt);
  }
  if (!best) return last;
  ProcessDump& dump = best->dump;
  if (dump.free_threaded && dump.gil_enabled) dump.gil_cause = FindGilCause(reader);
  return std::move(dump);
}

// Nothing when it can't be told.
std::optional<GilCause> ProcessDumper::FindGilCause(const InterpreterReader& reader) {
  GilCulprit culprit(memory_, reader.offsets());
  const InterpreterPtr interpreter = MainInterpreter(reader);
  for (int i = 0; i < kAttempts && !culprit.has_looked(); ++i) {
    if (i > 0) absl::SleepFor(kPause);
    if (!culprit.LookAtModules(interpreter).ok()) return std::nullopt;
    culprit.Search(interpreter);
  }
  if (!culprit.is_found()) return std::nullopt;
  GilCause cause;
  cause.by_option = culprit.by_option();
  cause.module = culprit.name();
  cause.is_certain = culprit.is_certain();
  return cause;
}

absl::StatusOr<ProcessDumper::Attempt> ProcessDumper::TakeAttempt(InterpreterReader& reader) {
  ProcessStopper stopper(process_.pid(), false);  // lets go when it is destroyed
  if (options_.blocking) FTP_RETURN_IF_ERROR(stopper.Stop());
  FTP_RETURN_IF_ERROR(reader.ReadPass());
  Attempt attempt;
  ProcessDump& dump = attempt.dump;
  dump.pid = process_.pid();
  dump.executable = process_.Executable();
  dump.command = process_.CommandLine();
  dump.python = reader.offsets().VersionString();
  dump.free_threaded = reader.offsets().free_threaded;
  dump.gil_enabled = reader.gil().for_good;
  dump.with_locals = options_.locals;
  dump.with_values = options_.locals && options_.values;
  FTP_RETURN_IF_ERROR(ReadThreads(reader, attempt));
  std::sort(dump.threads.begin(), dump.threads.end(),
            [](const auto& a, const auto& b) { return a.tid < b.tid; });
  return attempt;
}

absl::Status ProcessDumper::ReadThreads(InterpreterReader& reader, Attempt& attempt) {
  LocalsReader locals(memory_, reader.offsets());
  LockReader locks(memory_, reader.offsets());
  ThreadActivity activity(process_.pid());
  activity.set_locks(&locks);
  for (const PythonThread* thread : reader.threads()) {
    // A state without a native id is that of a thread that has not started yet.
    if (thread->stack == PythonThread::Stack::kEnded || thread->native_thread_id == 0) continue;
    DumpedThread dumped = ReadThread(reader, *thread, activity);
    attempt.gaps += thread->stack == PythonThread::Stack::kTorn;
    attempt.gaps += AddFrames(reader, *thread, locals, dumped);
    attempt.dump.threads.push_back(std::move(dumped));
  }
  FindHolders(reader, attempt.dump);
  NameThreads(reader, attempt.dump);
  // The names in the stacks were right if their code objects still are who they were.
  std::vector<const CodeInfo*> stale;
  FTP_RETURN_IF_ERROR(reader.VerifyCode(stale));
  return stale.empty() ? absl::OkStatus() : absl::DataLossError("a code object was replaced");
}

DumpedThread ProcessDumper::ReadThread(const InterpreterReader& reader, const PythonThread& thread,
                                       ThreadActivity& activity) {
  const auto inner_tid = static_cast<pid_t>(thread.native_thread_id);
  DumpedThread dumped;
  dumped.tid = process_.HostTid(inner_tid).value_or(inner_tid);
  dumped.ident = thread.ident;
  dumped.stack = thread.stack;
  dumped.has_gil = HasGil(reader, thread);
  dumped.interpreter =
      memory_
          .ReadValue<int64_t>(thread.interpreter.address() + reader.offsets().interpreter_state.id)
          .value_or(0);
  // A stopped process tells no more what it waited for than a running one: the system call is kept.
  dumped.state = activity.Classify(thread, dumped.tid, reader.GilOf(thread));
  if (dumped.state == ThreadState::kLockWait || dumped.state == ThreadState::kNativeLock) {
    dumped.waits_for = activity.LastParked(dumped.tid);
  }
  return dumped;
}

// Says who has the locks, and the GIL, that threads wait for.
void ProcessDumper::FindHolders(InterpreterReader& reader, ProcessDump& dump) {
  absl::flat_hash_map<uint64_t, const PythonThread*> by_ident;
  absl::flat_hash_map<uint64_t, pid_t> tids;  // by PyThreadState
  for (const PythonThread* thread : reader.threads()) {
    const auto inner_tid = static_cast<pid_t>(thread->native_thread_id);
    tids[thread->state_address] = process_.HostTid(inner_tid).value_or(inner_tid);
    by_ident[thread->ident] = thread;
  }
  std::vector<LockWait> waits;
  std::vector<DumpedThread*> waiters;
  for (DumpedThread& dumped : dump.threads) {
    const auto thread = by_ident.find(dumped.ident);
    if (thread == by_ident.end()) continue;
    if (dumped.state == ThreadState::kGilWait) {
      const auto holder = tids.find(reader.GilOf(*thread->second).holder);
      if (holder != tids.end()) dumped.held_by = holder->second;
    } else if (dumped.state == ThreadState::kLockWait) {
      waits.push_back({.waiter = thread->second, .parked = dumped.waits_for});
      waiters.push_back(&dumped);
    }
  }
  LockHolders(memory_, reader).Find(waits);
  for (size_t i = 0; i < waits.size(); ++i) {
    if (waits[i].holder != nullptr) waiters[i]->held_by = tids[waits[i].holder->state_address];
  }
}

// Where each interpreter has a GIL of its own, a thread's is its interpreter's.
bool ProcessDumper::HasGil(const InterpreterReader& reader, const PythonThread& thread) {
  const GilState& gil = reader.gil();
  const DebugOffsets::InterpreterState& o = reader.offsets().interpreter_state;
  const auto own = memory_.ReadValue<uint64_t>(thread.interpreter.address() + o.ceval_gil);
  if (!own.ok() || *own == gil.address) {
    return gil.enabled && gil.locked && gil.holder == thread.state_address;
  }
  const auto locked = memory_.ReadValue<int32_t>(*own + o.gil_locked);
  const auto holder = memory_.ReadValue<uint64_t>(*own + o.gil_last_holder);
  return gil.enabled && locked.ok() && *locked == 1 && holder.ok() &&
         *holder == thread.state_address;
}

void ProcessDumper::NameThreads(const InterpreterReader& reader, ProcessDump& dump) {
  ThreadNames names(memory_, reader.offsets());
  absl::flat_hash_map<uint64_t, absl::flat_hash_map<uint64_t, std::string>> by_interpreter;
  for (const PythonThread* thread : reader.threads()) {
    const uint64_t interpreter = thread->interpreter.address();
    if (by_interpreter.contains(interpreter)) continue;
    by_interpreter[interpreter] =
        names.Read(thread->interpreter).value_or(absl::flat_hash_map<uint64_t, std::string>());
  }
  for (DumpedThread& dumped : dump.threads) {
    for (const auto& entry : by_interpreter) {
      const auto name = entry.second.find(dumped.ident);
      if (name != entry.second.end()) dumped.name = name->second;
    }
    if (!dumped.name.empty()) continue;
    dumped.name = dumped.tid == dump.pid ? "MainThread" : OsThread(dump.pid, dumped.tid).Comm();
  }
}

// Returns how many frames lack their variables though they were asked for.
size_t ProcessDumper::AddFrames(const InterpreterReader& reader, const PythonThread& thread,
                                LocalsReader& locals, DumpedThread& dumped) {
  if (thread.stack != PythonThread::Stack::kComplete) return 0;
  size_t gaps = 0;
  const std::vector<FrameRecord> records = reader.FrameRecords(thread);
  for (size_t i = 0; i < thread.frames.size() && i < records.size(); ++i) {
    const StackFrame& frame = thread.frames[i];
    DumpedFrame& added = dumped.frames.emplace_back(DumpedFrame{
        .function = frame.code->function, .file = frame.code->file, .line = frame.line});
    if (!options_.locals) continue;
    auto variables = locals.Read(records[i], *frame.code, options_.values);
    if (variables.ok()) {
      added.locals = *std::move(variables);
    } else {
      ++gaps;
    }
  }
  return gaps;
}

}  // namespace fthreadprof
