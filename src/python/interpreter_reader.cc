#include "python/interpreter_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/load.h"
#include "base/status_macros.h"
#include "python/object_layout.h"

namespace fthreadprof {
namespace {

constexpr size_t kMaxInterpreters = 1 << 12;
constexpr size_t kMaxThreads = 1 << 17;
// Lists that change while they are read are read again so often.
constexpr int kMaxListTries = 3;
// A thread that changes its stack all the time is read again at once, this often before its sample
// is given up as torn. One that went where there was no copy yet counts less, once the places are
// learnt: an event loop may be at another task by the time they are copied.
constexpr int kMaxTries = 24;
constexpr int kLearningTries = 8;  // count as one
// Tries take much the same time, and so may a thread between two tasks: each so-many-th of those
// reads everything, which takes longer, to come out of step with it.
constexpr int kInStep = 4;
// A call that lasts a microsecond has mostly ended when it is read again at once: so many passes
// then look for it.
constexpr uint64_t kProvePasses = 16;
// A volatile code object that no stack named for so many passes is no longer read along.
constexpr uint64_t kVolatileKeepPasses = 16;
// Until it has been known, and met again and again, for so long, a code object counts as volatile:
// what is made for one use does not live longer.
constexpr std::chrono::milliseconds kYouth{100};

bool IsFatal(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsPermissionDenied(status) || absl::IsInternal(status);
}

}  // namespace

// What is known of a PyThreadState between passes.
struct InterpreterReader::ThreadRecord {
  ThreadRecord(size_t frame_size, KnownCallers& callers) : copy(frame_size, callers) {}

  PythonThread thread;
  std::vector<uint8_t> state;     // the bytes read
  std::vector<uint8_t> activity;  // the part read again with the frames
  StackCopy copy;
  int copies = 1;
  uint64_t prove_until = 0;  // the pass up to which two are made, so that short calls get proven
  StackCopy::Extent extent = StackCopy::Extent::kAll;  // of the copy when it is tried again
  bool learnt = false;                                 // what the last try missed
  int missed = 0;                                      // tries of this pass that missed something
  uint64_t seen = 0;                                   // reading_ in which it was last listed
  uint64_t read_in = 0;                                // reading_ in which its state was last read
  uint64_t predicted_in = 0;  // the pass that last read its frames with the states
  uint64_t next = 0;
  uint64_t owner = 0;  // the PyInterpreterState it belongs to
  uint64_t current_frame = 0;
  uint64_t base_frame = 0;
  uint64_t chunk = 0;
  uint64_t copied_in = 0;  // the call that filled `copy`; 0: it must be read
  WalkMemo memo;
  std::vector<StackFrame> before;
};

InterpreterReader::InterpreterReader(ProcessMemory& memory, const PythonRuntime& runtime)
    : memory_(memory),
      runtime_(runtime),
      layout_(runtime_.offsets),
      code_(memory, runtime_.offsets),
      walker_(layout_, code_) {
  const DebugOffsets::ThreadState& state = runtime_.offsets.thread_state;
  state_size_ =
      std::max({state.next, state.interp, state.current_frame, state.thread_id,
                state.critical_section, state.datastack_chunk, state.state, state.eval_breaker}) +
      8;
  if (state.base_frame != DebugOffsets::kAbsent) {
    state_size_ = std::max<size_t>(state_size_, state.base_frame + 8);
  }
  activity_start_ =
      std::min({state.state, state.current_frame, state.thread_id, state.native_thread_id});
  activity_size_ = std::max({state.state + 4, state.current_frame + 8, state.thread_id + 8,
                             state.critical_section + 8}) -
                   activity_start_;
  const DebugOffsets::InterpreterState& interpreter = runtime_.offsets.interpreter_state;
  links_start_ = std::min(interpreter.next, interpreter.threads_head);
  links_size_ = std::max(interpreter.next, interpreter.threads_head) + 8 - links_start_;
  size_t gil_size = std::max(interpreter.gil_switch_number + 8, interpreter.gil_last_holder + 8);
  if (interpreter.gil_enabled != DebugOffsets::kAbsent) {
    gil_size = std::max<size_t>(gil_size, interpreter.gil_enabled + 4);
  }
  gil_size_ = gil_size;
}

InterpreterReader::~InterpreterReader() = default;

absl::Status InterpreterReader::ReadPass() {
  ++pass_;
  pass_time_ = std::chrono::steady_clock::now();
  threads_.clear();
  if (code_.ReleaseRetired()) {
    for (auto& entry : records_) entry.second->before.clear();
  }
  FTP_RETURN_IF_ERROR(ReadStates());
  FTP_RETURN_IF_ERROR(ReadStacks());
  for (ThreadRecord* record : order_) threads_.push_back(&record->thread);
  return absl::OkStatus();
}

std::vector<FrameRecord> InterpreterReader::FrameRecords(const PythonThread& thread) const {
  std::vector<FrameRecord> frames;
  const auto record = records_.find(thread.state_address);
  if (record == records_.end() || thread.stack != PythonThread::Stack::kComplete) return frames;
  const WalkMemo& memo = record->second->memo;
  for (size_t i = 0; i < memo.chain.size(); ++i) {
    if (!memo.codes[i]->is_shim) frames.push_back(memo.chain[i]);
  }
  return frames;
}

// It lies behind the locals, up to the end of the frame.
EvaluationStack InterpreterReader::StackOf(const FrameRecord& frame, const CodeInfo& code) const {
  const uint64_t begin = runtime_.offsets.interpreter_frame.localsplus + kWordSize * code.locals;
  return {frame.address + begin, begin < code.framesize ? (code.framesize - begin) / kWordSize : 0};
}

EvaluationStack InterpreterReader::ProtectedStack(const FrameRecord& frame, CodeInfo& code) {
  EvaluationStack stack = StackOf(frame, code);
  // A corrupt depth reaches no further than the frame does.
  stack.count =
      std::min(stack.count, code_.ProtectedDepth(code, frame.instruction, frame.tlbc_index));
  return stack;
}

// The list of interpreters changes rarely: it is read anew when the predicted one does not hold.
absl::Status InterpreterReader::ReadInterpreters() {
  const DebugOffsets::InterpreterState& o = runtime_.offsets.interpreter_state;
  const uint64_t head_at =
      runtime_.address.address() + runtime_.offsets.runtime_state.interpreters_head;
  FTP_ASSIGN_OR_RETURN(uint64_t address, memory_.ReadValue<uint64_t>(head_at));
  interpreters_.clear();
  while (address != 0 && interpreters_.size() < kMaxInterpreters) {
    Interpreter interpreter{.address = InterpreterPtr(address)};
    FTP_ASSIGN_OR_RETURN(interpreter.next, memory_.ReadValue<uint64_t>(address + o.next));
    FTP_ASSIGN_OR_RETURN(interpreter.id, memory_.ReadValue<int64_t>(address + o.id));
    const bool loops = std::any_of(interpreters_.begin(), interpreters_.end(),
                                   [&](const auto& i) { return i.address == interpreter.address; });
    if (loops) return absl::DataLossError("the list of interpreters changed while it was read");
    interpreters_.push_back(interpreter);
    address = interpreter.next;
  }
  if (interpreters_.empty()) return absl::UnavailableError("no interpreter");
  return ListGils();
}

// Finds out who has which GIL. A subinterpreter is linked before it gets one: until then it runs
// nothing, and is asked again by the next pass.
absl::Status InterpreterReader::ListGils() {
  const uint64_t gil_at = runtime_.offsets.interpreter_state.ceval_gil;
  gils_.clear();
  for (Interpreter& interpreter : interpreters_) {
    FTP_ASSIGN_OR_RETURN(interpreter.gil,
                         memory_.ReadValue<uint64_t>(interpreter.address.address() + gil_at));
  }
  // The main interpreter is the oldest, so the last in the list.
  const uint64_t main_gil = interpreters_.back().gil;
  for (Interpreter& interpreter : interpreters_) {
    if (interpreter.gil == main_gil || interpreter.gil == 0) continue;
    interpreter.gil_index = gils_.size();
    gils_.push_back({.state = {.address = interpreter.gil}});
  }
  gils_.push_back({.state = {.address = main_gil}});
  for (Interpreter& interpreter : interpreters_) {
    if (interpreter.gil == main_gil || interpreter.gil == 0) {
      interpreter.gil_index = gils_.size() - 1;
    }
  }
  for (Gil& gil : gils_) gil.bytes.resize(gil_size_);
  return absl::OkStatus();
}

bool InterpreterReader::AnyGilHeld() const {
  return std::any_of(gils_.begin(), gils_.end(), [](const Gil& gil) { return gil.state.locked; });
}

bool InterpreterReader::AnyGilOn() const {
  return std::any_of(gils_.begin(), gils_.end(), [](const Gil& gil) { return gil.state.for_good; });
}

bool InterpreterReader::AnyCollects() const {
  return std::any_of(interpreters_.begin(), interpreters_.end(),
                     [](const Interpreter& interpreter) { return interpreter.collecting != 0; });
}

// Reads the interpreters, the GIL and every thread state, at the addresses that the last pass
// found.
absl::Status InterpreterReader::ReadStates() {
  for (int tries = kMaxListTries; tries > 0; --tries) {
    ++reading_;
    if (interpreters_.empty()) {
      const absl::Status status = ReadInterpreters();
      if (IsFatal(status)) return status;
      if (!status.ok()) {
        interpreters_.clear();
        continue;
      }
    }
    const bool starts = std::any_of(interpreters_.begin(), interpreters_.end(),
                                    [](const Interpreter& i) { return i.gil == 0; });
    if (starts && !ListGils().ok()) {
      interpreters_.clear();
      continue;
    }
    for (Interpreter& interpreter : interpreters_) {
      interpreter.tlbc_generation_before = interpreter.tlbc_generation;
    }
    bool predicted = tries == kMaxListTries;
    const size_t fixed = AppendStatePieces(predicted);
    FTP_ASSIGN_OR_RETURN(size_t read, memory_.ReadPieces(pieces_));
    if (predicted && read < pieces_.size()) {
      // Something is no longer where it was: the states alone will tell.
      predicted = false;
      AppendStatePieces(predicted);
      FTP_ASSIGN_OR_RETURN(read, memory_.ReadPieces(pieces_));
    }
    if (predicted) TakeAppended();
    const bool holds = read >= fixed && ParseInterpreters();
    if (!holds) {
      // Another interpreter came or went, or all did: start over with what there is now.
      interpreters_.clear();
      ForgetThreads();
      continue;
    }
    const bool bytecode_was_freed =
        std::any_of(interpreters_.begin(), interpreters_.end(),
                    [](const auto& i) { return i.tlbc_generation != i.tlbc_generation_before; });
    if (bytecode_was_freed) code_.ForgetThreadLocalBytecode();
    ParseGils();
    for (size_t i = 0; i < order_.size() && (predicted || fixed + i < read); ++i) {
      order_[i]->read_in = reading_;
      ParseThreadState(*order_[i]);
    }
    FTP_ASSIGN_OR_RETURN(const bool whole, LinkThreads());
    if (whole || tries == 1) {
      // Frames that were read before another reading of the states are none to judge by them.
      if (whole && predicted) predicted_in_ = pass_;
      ForgetUnlisted();
      return absl::OkStatus();
    }
    // A thread ended meanwhile, and the list broke off where its state had been: the threads behind
    // it are still there.
    std::swap(order_, order_before_);
  }
  return absl::UnavailableError("the interpreter is not there");
}

// Appends what to read of the interpreters, then of the threads; returns the number of the former.
// With `with_frames` a thread that had frames in the last pass has them read too, right behind its
// state.
size_t InterpreterReader::AppendStatePieces(bool with_frames) {
  const DebugOffsets::InterpreterState& o = runtime_.offsets.interpreter_state;
  pieces_.clear();
  pieces_.push_back({runtime_.address.address() + runtime_.offsets.runtime_state.interpreters_head,
                     &interpreters_head_, sizeof interpreters_head_});
  for (Interpreter& interpreter : interpreters_) {
    const uint64_t at = interpreter.address.address();
    interpreter.links.resize(links_size_);
    pieces_.push_back({at + links_start_, interpreter.links.data(), links_size_});
    if (o.tlbc_generation != DebugOffsets::kAbsent) {
      pieces_.push_back({at + o.tlbc_generation, &interpreter.tlbc_generation,
                         sizeof interpreter.tlbc_generation});
    }
  }
  for (Gil& gil : gils_) pieces_.push_back({gil.state.address, gil.bytes.data(), gil.bytes.size()});
  const size_t fixed = pieces_.size();
  records_to_read_.clear();
  for (ThreadRecord* record : order_) {
    if (with_frames && record->current_frame != 0) {
      record->predicted_in = pass_;
      records_to_read_.push_back(record);
    } else {
      pieces_.push_back({record->thread.state_address, record->state.data(), state_size_});
    }
  }
  if (with_frames) AppendStacks(records_to_read_, /*whole_states=*/true);
  // Last: read before the frames it made short tasks of an event loop be missed far more often.
  for (Interpreter& interpreter : interpreters_) {
    const uint64_t at = interpreter.address.address() + o.gc + runtime_.offsets.gc.collecting;
    pieces_.push_back({at, &interpreter.collecting, sizeof interpreter.collecting});
  }
  return fixed;
}

// Takes the heads of the lists of threads; false when another interpreter came or went.
bool InterpreterReader::ParseInterpreters() {
  if (interpreters_head_ != interpreters_.front().address.address()) return false;
  const DebugOffsets::InterpreterState& o = runtime_.offsets.interpreter_state;
  for (Interpreter& interpreter : interpreters_) {
    const uint8_t* links = interpreter.links.data();
    interpreter.threads_head = Load<uint64_t>(links, o.threads_head - links_start_);
    if (Load<uint64_t>(links, o.next - links_start_) != interpreter.next) return false;
  }
  return true;
}

void InterpreterReader::ParseGils() {
  const DebugOffsets::InterpreterState& o = runtime_.offsets.interpreter_state;
  for (Gil& gil : gils_) {
    const uint8_t* bytes = gil.bytes.data();
    const int32_t enabled =
        o.gil_enabled == DebugOffsets::kAbsent ? kGilForGood : Load<int32_t>(bytes, o.gil_enabled);
    gil.state.enabled = enabled != 0;
    gil.state.for_good = enabled == kGilForGood;
    gil.state.locked = Load<int32_t>(bytes, o.gil_locked) > 0;
    gil.state.holder = gil.state.locked ? Load<uint64_t>(bytes, o.gil_last_holder) : 0;
    gil.state.switches = Load<uint64_t>(bytes, o.gil_switch_number);
  }
}

// Puts the threads in order_ as they are linked in the target, newest first. Those that ReadStates
// read are at hand; the others are read one by one. False when a list loops or leads elsewhere: it
// changed while it was read.
absl::StatusOr<bool> InterpreterReader::LinkThreads() {
  bool whole = true;
  std::swap(order_, order_before_);
  order_.clear();
  size_t expected = 0;  // index in order_before_ of the thread that would come next
  for (const Interpreter& interpreter : interpreters_) {
    uint64_t at = interpreter.threads_head;
    for (size_t listed = 0; at != 0 && listed < kMaxThreads; ++listed) {
      ThreadRecord* record = nullptr;
      if (expected < order_before_.size() && order_before_[expected]->thread.state_address == at &&
          order_before_[expected]->read_in == reading_) {
        record = order_before_[expected++];
      } else {
        FTP_ASSIGN_OR_RETURN(record, FindOrReadThread(at));
        for (size_t i = expected; i < order_before_.size(); ++i) {
          if (order_before_[i] == record) expected = i + 1;
        }
      }
      if (record == nullptr || record->seen == reading_ ||
          record->owner != interpreter.address.address()) {
        whole = false;
        break;
      }
      record->seen = reading_;
      record->thread.interpreter = interpreter.address;
      record->thread.interpreter_id = interpreter.id;
      record->thread.gil = interpreter.gil_index;
      order_.push_back(record);
      at = record->next;
    }
  }
  return whole;
}

void InterpreterReader::ForgetUnlisted() {
  if (records_.size() == order_.size()) return;
  order_before_.clear();
  absl::erase_if(records_, [&](const auto& entry) { return entry.second->seen != reading_; });
}

// The record of the thread state at `address`, read in this pass; null when it can't be read.
absl::StatusOr<InterpreterReader::ThreadRecord*> InterpreterReader::FindOrReadThread(
    uint64_t address) {
  std::unique_ptr<ThreadRecord>& record = records_[address];
  if (record == nullptr) {
    record = std::make_unique<ThreadRecord>(layout_.size(), callers_);
    record->thread.state_address = address;
    record->state.resize(state_size_);
    record->activity.resize(activity_size_);
  }
  if (record->read_in == reading_) return record.get();
  const absl::Status status = memory_.Read(address, record->state.data(), state_size_);
  if (IsFatal(status)) return status;
  if (!status.ok()) return nullptr;
  record->read_in = reading_;
  ParseThreadState(*record);
  return record.get();
}

void InterpreterReader::ParseThreadState(ThreadRecord& record) {
  const DebugOffsets::ThreadState& o = runtime_.offsets.thread_state;
  const uint8_t* bytes = record.state.data();
  record.next = Load<uint64_t>(bytes, o.next);
  record.owner = Load<uint64_t>(bytes, o.interp);
  const uint64_t ident = Load<uint64_t>(bytes, o.thread_id);
  const uint64_t native_thread_id = Load<uint64_t>(bytes, o.native_thread_id);
  if (ident != record.thread.ident || native_thread_id != record.thread.native_thread_id) {
    record.copy.Reset();  // another thread took the address
    record.before.clear();
    record.memo = WalkMemo();
    record.copied_in = 0;
  }
  record.thread.ident = ident;
  record.thread.native_thread_id = native_thread_id;
  record.thread.attachment = static_cast<PythonThread::Attachment>(Load<int32_t>(bytes, o.state));
  record.thread.critical_section = Load<uint64_t>(bytes, o.critical_section);
  record.thread.must_stop = (Load<uint64_t>(bytes, o.eval_breaker) & kPleaseStopBit) != 0;
  record.current_frame = Load<uint64_t>(bytes, o.current_frame);
  record.base_frame =
      o.base_frame == DebugOffsets::kAbsent ? 0 : Load<uint64_t>(bytes, o.base_frame);
  record.chunk = Load<uint64_t>(bytes, o.datastack_chunk);
  std::memcpy(record.activity.data(), bytes + activity_start_, activity_size_);
}

void InterpreterReader::ForgetThreads() {
  order_.clear();
  order_before_.clear();
  records_.clear();
}

// Appends the reading of `records`: each thread's activity, or all of its state, and its frames
// right behind. In this order a call that returns meanwhile still shows, most often, in what it
// leaves; one that begins meanwhile would not yet be there. Then the identities of volatile code
// objects; then the second copies. A code object whose identity is read between two copies of the
// same stack was there when the first was made.
void InterpreterReader::AppendStacks(std::span<ThreadRecord* const> records, bool whole_states) {
  ranges_.clear();
  for (ThreadRecord* record : records) {
    record->copy.Prepare(whole_states ? StackCopy::Extent::kAll : record->extent);
    record->copied_in = 0;
    const size_t begin = pieces_.size();
    const uint64_t state = record->thread.state_address;
    if (whole_states) {
      pieces_.push_back({state, record->state.data(), state_size_});
    } else {
      pieces_.push_back({state + activity_start_, record->activity.data(), activity_size_});
    }
    record->copy.AppendPieces(0, pieces_);
    ranges_.push_back({.begin = begin, .end = pieces_.size(), .owner = record});
  }
  AppendVolatileCode();
  for (ThreadRecord* record : records) {
    if (record->copies < 2) continue;
    const size_t begin = pieces_.size();
    record->copy.AppendPieces(1, pieces_);
    ranges_.push_back({.begin = begin, .end = pieces_.size(), .owner = record});
  }
}

void InterpreterReader::AppendVolatileCode() {
  absl::erase_if(volatile_code_,
                 [&](const auto& entry) { return pass_ - entry.second > kVolatileKeepPasses; });
  const size_t size = code_.identity_size();
  identities_.resize(volatile_code_.size() * size);
  size_t offset = 0;
  for (const auto& entry : volatile_code_) {
    const size_t begin = pieces_.size();
    pieces_.push_back({entry.first, &identities_[offset], size});
    ranges_.push_back({.begin = begin, .end = begin + 1, .code = entry.first});
    offset += size;
  }
}

// Reads what was appended. A thread whose memory can't be read is left to start over by itself.
absl::Status InterpreterReader::ReadAppended() {
  size_t first = 0;
  while (first < pieces_.size()) {
    FTP_ASSIGN_OR_RETURN(const size_t read,
                         memory_.ReadPieces(std::span<const MemoryPiece>(pieces_).subspan(first)));
    const size_t failed = first + read;
    if (failed >= pieces_.size()) break;
    const auto range = std::find_if(ranges_.begin(), ranges_.end(),
                                    [&](const Range& r) { return failed < r.end; });
    range->failed = true;
    first = range->end;
  }
  TakeAppended();
  return absl::OkStatus();
}

// Takes note of what was read of the ranges.
void InterpreterReader::TakeAppended() {
  ++call_;
  for (const Range& range : ranges_) {
    if (range.owner != nullptr) range.owner->copied_in = call_;
  }
  identity_seen_.clear();
  for (const Range& range : ranges_) {
    if (range.owner != nullptr && range.failed) {
      range.owner->copied_in = 0;
      range.owner->copy.Reset();
    }
    if (range.owner == nullptr && !range.failed) SeeIdentity(range);
  }
}

void InterpreterReader::SeeIdentity(const Range& range) {
  const auto* bytes = static_cast<const uint8_t*>(pieces_[range.begin].buffer);
  const CodeIdentity identity = code_.ParseIdentity(bytes);
  identity_seen_.emplace(range.code, identity);
  CodeInfo* code = code_.Find(range.code);
  if (code == nullptr) return;
  if (code->identity == identity) {
    code->verified_in = call_;
  } else {
    code_.Discard(range.code);
  }
}

absl::Status InterpreterReader::ReadStacks() {
  records_to_read_.clear();
  for (ThreadRecord* record : order_) {
    if (record->current_frame != 0) {
      if (!WasPredicted(*record)) records_to_read_.push_back(record);
      continue;
    }
    record->thread.stack = PythonThread::Stack::kEmpty;
    record->thread.frames.clear();
    record->thread.unchanged = false;
    record->before.clear();
  }
  // First those that were read: another reading makes what they say of code objects old.
  for (ThreadRecord* record : order_) {
    if (record->current_frame != 0 && WasPredicted(*record)) FTP_RETURN_IF_ERROR(Settle(*record));
  }
  if (records_to_read_.empty()) return absl::OkStatus();
  FTP_RETURN_IF_ERROR(ReadAgain(records_to_read_));
  for (ThreadRecord* record : records_to_read_) FTP_RETURN_IF_ERROR(Settle(*record));
  return absl::OkStatus();
}

// True when the thread's frames were read in the call that read all states.
bool InterpreterReader::WasPredicted(const ThreadRecord& record) const {
  return predicted_in_ == pass_ && record.predicted_in == pass_;
}

// Reads the frames of `records`, in a call of their own.
absl::Status InterpreterReader::ReadAgain(std::span<ThreadRecord* const> records) {
  pieces_.clear();
  AppendStacks(records, /*whole_states=*/false);
  return ReadAppended();
}

// Reads the thread's stack until it holds together, or too often.
absl::Status InterpreterReader::Settle(ThreadRecord& record) {
  PythonThread& thread = record.thread;
  int tries = 0;  // in parts of kLearningTries
  record.missed = 0;
  for (bool is_first = true; tries < kMaxTries * kLearningTries; is_first = false) {
    if (!is_first) {
      ThreadRecord* const alone[] = {&record};
      FTP_RETURN_IF_ERROR(ReadAgain(alone));
    }
    absl::Status status;
    if (record.copied_in != 0 && TryStack(record, status)) {
      thread.stack = HasNewOwner(record)     ? PythonThread::Stack::kEnded
                     : thread.frames.empty() ? PythonThread::Stack::kEmpty
                                             : PythonThread::Stack::kComplete;
      return absl::OkStatus();
    }
    if (IsFatal(status)) return status;
    tries += record.learnt ? 1 : kLearningTries;
  }
  FTP_ASSIGN_OR_RETURN(const bool listed, IsListed(record));
  thread.stack = listed ? PythonThread::Stack::kTorn : PythonThread::Stack::kEnded;
  thread.frames.clear();
  record.before.clear();
  return absl::OkStatus();
}

// True when the thread ended since its state was read, and another one has the PyThreadState.
bool InterpreterReader::HasNewOwner(const ThreadRecord& record) const {
  const DebugOffsets::ThreadState& o = runtime_.offsets.thread_state;
  const uint8_t* activity = record.activity.data();
  return Load<uint64_t>(activity, o.thread_id - activity_start_) != record.thread.ident ||
         Load<uint64_t>(activity, o.native_thread_id - activity_start_) !=
             record.thread.native_thread_id;
}

// One try at the stack in record.copy. False: try again, after what was missing has been learnt.
bool InterpreterReader::TryStack(ThreadRecord& record, absl::Status& status) {
  const DebugOffsets::ThreadState& o = runtime_.offsets.thread_state;
  const auto top = Load<uint64_t>(record.activity.data(), o.current_frame - activity_start_);
  PythonThread& thread = record.thread;
  record.extent = StackCopy::Extent::kAll;
  record.learnt = false;
  thread.attachment = static_cast<PythonThread::Attachment>(
      Load<int32_t>(record.activity.data(), o.state - activity_start_));
  thread.critical_section =
      Load<uint64_t>(record.activity.data(), o.critical_section - activity_start_);
  thread.unchanged = false;
  if (top == 0 || HasNewOwner(record)) {
    thread.frames.clear();
    record.before.clear();
    return true;
  }
  const auto walk = [&] {
    return walker_.Walk(record.copy, record.copies, top, record.base_frame, record.memo,
                        thread.frames);
  };
  StackWalker::Result result = walk();
  if (result.outcome == StackWalker::Outcome::kUnknownCode) {
    // What was unknown is known now, but only what was identified along with the stack will do.
    const bool identified = ResolveUnknown(status);
    if (identified && record.copies > 1) result = walk();
    record.copies = 2;
  }
  // What did not hold together may name any caller.
  const bool holds = result.outcome == StackWalker::Outcome::kComplete ||
                     result.outcome == StackWalker::Outcome::kNeedsSecond;
  for (const StackWalker::Visited& seen : walker_.visited()) {
    record.copy.Touch(seen.frame, holds ? seen.caller : Caller());
  }
  switch (result.outcome) {
    case StackWalker::Outcome::kMissing:
      // The chunk may have changed since the thread state was read.
      status = record.copy.Learn(memory_, layout_, thread.state_address + o.datastack_chunk,
                                 result.address);
      record.learnt = status.ok();
      if (++record.missed % kInStep != 0) record.extent = StackCopy::Extent::kLastUsed;
      return false;
    case StackWalker::Outcome::kNeedsSecond:
      record.copies = 2;
      record.prove_until = pass_ + kProvePasses;
      record.extent = StackCopy::Extent::kLastUsed;
      return false;
    case StackWalker::Outcome::kNoProof:
      record.copies = 2;
      record.prove_until = pass_ + kProvePasses;
      return false;
    case StackWalker::Outcome::kTorn:
      // Perhaps because a code object in it is not what it was: identify them along with the next
      // copy.
      for (const StackFrame& frame : thread.frames) volatile_code_[frame.code->address] = pass_;
      if (result.address != 0) volatile_code_[result.address] = pass_;
      return false;
    case StackWalker::Outcome::kUnknownCode:
      return false;
    case StackWalker::Outcome::kComplete:
      break;
  }
  bool has_volatile = false;
  if (!CodeStillHolds(record, has_volatile)) return false;
  // Code that comes and goes makes stacks that are new each time: they need both copies at once.
  record.copies = has_volatile || pass_ < record.prove_until ? 2 : 1;
  thread.evaluation_stack = record.memo.chain.empty()
                                ? EvaluationStack()
                                : StackOf(record.memo.chain.front(), *record.memo.codes.front());
  thread.unchanged = thread.frames == record.before;
  record.before = thread.frames;
  return true;
}

// Reads the code objects that the last walk did not know. True when each is what it was in the call
// that copied the stack.
bool InterpreterReader::ResolveUnknown(absl::Status& status) {
  bool identified = true;
  for (const uint64_t address : walker_.unknown()) {
    if (code_.Find(address) != nullptr) continue;  // recursion names it twice
    const absl::StatusOr<CodeInfo*> code = code_.Resolve(address);
    status.Update(code.status());
    if (!code.ok()) return false;
    const auto seen = identity_seen_.find(address);
    if (seen != identity_seen_.end() && seen->second == (*code)->identity) {
      (*code)->verified_in = call_;
    } else {
      identified = false;
    }
    (*code)->known_since = pass_time_;
    volatile_code_[address] = pass_;
  }
  return identified;
}

// False when a volatile code object was not verified in the call that copied the stack.
bool InterpreterReader::CodeStillHolds(ThreadRecord& record, bool& has_volatile) {
  bool holds = true;
  for (const StackFrame& frame : record.thread.frames) {
    // One that was not met for a while may have been replaced meanwhile.
    if (pass_time_ - frame.code->last_used > kYouth) frame.code->known_since = pass_time_;
    frame.code->last_used = pass_time_;
    if (!frame.code->is_volatile && pass_time_ - frame.code->known_since > kYouth) {
      frame.code->used_since_verified = true;
      continue;
    }
    has_volatile |= frame.code->is_volatile;
    volatile_code_[frame.code->address] = pass_;
    holds &= frame.code->verified_in == record.copied_in;
  }
  return holds;
}

// Whether the thread is still linked: the one before it, or its interpreter, points at it.
absl::StatusOr<bool> InterpreterReader::IsListed(const ThreadRecord& record) {
  const DebugOffsets::ThreadState& o = runtime_.offsets.thread_state;
  const uint64_t state = record.thread.state_address;
  uint64_t ident = 0;
  uint64_t previous = 0;
  uint64_t linked = 0;
  const MemoryPiece pieces[] = {{state + o.thread_id, &ident, sizeof ident},
                                {state + o.prev, &previous, sizeof previous}};
  FTP_ASSIGN_OR_RETURN(const size_t read, memory_.ReadPieces(pieces));
  if (read < std::size(pieces) || ident != record.thread.ident) return false;
  const uint64_t link = previous != 0 ? previous + o.next
                                      : record.thread.interpreter.address() +
                                            runtime_.offsets.interpreter_state.threads_head;
  const absl::Status status = memory_.Read(link, &linked, sizeof linked);
  if (IsFatal(status)) return status;
  return status.ok() && linked == state;
}

absl::Status InterpreterReader::VerifyCode(std::vector<const CodeInfo*>& stale) {
  stale.clear();
  std::vector<CodeInfo*> used;
  for (const auto& entry : code_.entries()) {
    if (entry.second->used_since_verified) used.push_back(entry.second.get());
  }
  const size_t size = code_.identity_size();
  identities_.resize(used.size() * size);
  for (size_t first = 0; first < used.size();) {
    pieces_.clear();
    for (size_t i = first; i < used.size(); ++i) {
      pieces_.push_back({used[i]->address, &identities_[i * size], size});
    }
    FTP_ASSIGN_OR_RETURN(const size_t read, memory_.ReadPieces(pieces_));
    for (size_t i = first; i < first + read; ++i) {
      if (code_.ParseIdentity(&identities_[i * size]) != used[i]->identity) {
        stale.push_back(used[i]);
      }
    }
    first += read;
    if (first < used.size()) stale.push_back(used[first++]);  // unreadable: freed
  }
  for (CodeInfo* code : used) code->used_since_verified = false;
  for (const CodeInfo* code : stale) code_.Discard(code->address);
  // Those that were found out between two verifications are no less doubtful.
  for (const auto& code : code_.retired()) {
    if (std::exchange(code->used_since_verified, false)) stale.push_back(code.get());
  }
  code_.Trim();
  return absl::OkStatus();
}

}  // namespace fthreadprof
