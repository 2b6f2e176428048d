#include "python/interpreter_reader.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace fthreadprof {
namespace {

constexpr size_t kMaxInterpreters = 1 << 12;
constexpr size_t kMaxThreads = 1 << 17;
// A thread that changes its stack all the time is read again at once, this often before its sample
// is given up as torn.
constexpr int kMaxTries = 24;
// A volatile code object that no stack named for so many passes is no longer read along.
constexpr uint64_t kVolatileKeepPasses = 16;

template <typename T>
T Load(const uint8_t* bytes, uint64_t offset) {
  T value;
  std::memcpy(&value, bytes + offset, sizeof value);
  return value;
}

bool IsFatal(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsPermissionDenied(status) || absl::IsInternal(status);
}

}  // namespace

// What is known of a PyThreadState between passes.
struct InterpreterReader::ThreadRecord {
  explicit ThreadRecord(size_t frame_size) : copy(frame_size) {}

  PythonThread thread;
  std::vector<uint8_t> state;     // the bytes read
  std::vector<uint8_t> activity;  // the part read again after the frames
  StackCopy copy;
  int copies = 1;
  uint64_t seen = 0;     // pass in which it was last listed
  uint64_t read_in = 0;  // pass in which its state was last read
  uint64_t next = 0;
  uint64_t owner = 0;  // the PyInterpreterState it belongs to
  uint64_t current_frame = 0;
  uint64_t base_frame = 0;
  uint64_t chunk = 0;
  uint64_t copied_in = 0;  // the call that filled `copy`; 0: it must be read
  std::vector<StackFrame> before;
};

InterpreterReader::InterpreterReader(ProcessMemory& memory, const PythonRuntime& runtime)
    : memory_(memory),
      runtime_(runtime),
      layout_(runtime_.offsets),
      code_(memory, runtime_.offsets),
      walker_(layout_, code_) {
  const DebugOffsets::ThreadState& state = runtime_.offsets.thread_state;
  state_size_ = std::max({state.next, state.interp, state.current_frame, state.thread_id,
                          state.native_thread_id, state.datastack_chunk, state.state}) +
                8;
  if (state.base_frame != DebugOffsets::kAbsent) {
    state_size_ = std::max<size_t>(state_size_, state.base_frame + 8);
  }
  activity_start_ = std::min(state.state, state.current_frame);
  activity_size_ = std::max(state.state + 4, state.current_frame + 8) - activity_start_;
}

InterpreterReader::~InterpreterReader() = default;

absl::Status InterpreterReader::ReadPass() {
  ++pass_;
  threads_.clear();
  if (code_.ReleaseRetired()) {
    for (auto& entry : records_) entry.second->before.clear();
  }
  FTP_RETURN_IF_ERROR(ReadStates());
  FTP_RETURN_IF_ERROR(ReadStacks());
  for (ThreadRecord* record : order_) threads_.push_back(&record->thread);
  return absl::OkStatus();
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
    FTP_ASSIGN_OR_RETURN(interpreter.gil, memory_.ReadValue<uint64_t>(address + o.ceval_gil));
    interpreters_.push_back(interpreter);
    address = interpreter.next;
  }
  if (interpreters_.empty()) return absl::UnavailableError("no interpreter");
  return absl::OkStatus();
}

// Reads the interpreters, the GIL and every thread state, at the addresses that the last pass
// found.
absl::Status InterpreterReader::ReadStates() {
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (interpreters_.empty()) {
      const absl::Status status = ReadInterpreters();
      if (IsFatal(status)) return status;
      if (!status.ok()) {
        interpreters_.clear();
        break;
      }
    }
    const uint32_t generation = interpreters_.back().tlbc_generation;
    const size_t fixed = AppendStatePieces();
    FTP_ASSIGN_OR_RETURN(const size_t read, memory_.ReadPieces(pieces_));
    const bool holds = read >= fixed && InterpretersHold();
    if (!holds) {
      // Another interpreter came or went, or all did: start over with what there is now.
      interpreters_.clear();
      ForgetThreads();
      continue;
    }
    if (generation != interpreters_.back().tlbc_generation) code_.ForgetThreadLocalBytecode();
    ParseGil();
    for (size_t i = 0; i < order_.size() && fixed + i < read; ++i) {
      order_[i]->read_in = pass_;
      ParseThreadState(*order_[i]);
    }
    return LinkThreads();
  }
  return absl::UnavailableError("the interpreter is not there");
}

// Appends what to read of the interpreters, then of the threads; returns the number of the former.
size_t InterpreterReader::AppendStatePieces() {
  const DebugOffsets::InterpreterState& o = runtime_.offsets.interpreter_state;
  pieces_.clear();
  pieces_.push_back({runtime_.address.address() + runtime_.offsets.runtime_state.interpreters_head,
                     &interpreters_head_, sizeof interpreters_head_});
  for (Interpreter& interpreter : interpreters_) {
    const uint64_t at = interpreter.address.address();
    pieces_.push_back({at + o.next, &interpreter.next_now, sizeof interpreter.next_now});
    pieces_.push_back(
        {at + o.threads_head, &interpreter.threads_head, sizeof interpreter.threads_head});
    if (o.tlbc_generation != DebugOffsets::kAbsent) {
      pieces_.push_back({at + o.tlbc_generation, &interpreter.tlbc_generation,
                         sizeof interpreter.tlbc_generation});
    }
  }
  // The main interpreter is the oldest, so the last in the list.
  pieces_.push_back({interpreters_.back().gil, gil_bytes_, sizeof gil_bytes_});
  const size_t fixed = pieces_.size();
  for (ThreadRecord* record : order_) {
    pieces_.push_back({record->thread.state_address, record->state.data(), state_size_});
  }
  return fixed;
}

bool InterpreterReader::InterpretersHold() const {
  if (interpreters_head_ != interpreters_.front().address.address()) return false;
  return std::all_of(interpreters_.begin(), interpreters_.end(),
                     [](const Interpreter& i) { return i.next_now == i.next; });
}

void InterpreterReader::ParseGil() {
  const DebugOffsets::InterpreterState& o = runtime_.offsets.interpreter_state;
  gil_ = {.address = interpreters_.back().gil};
  gil_.enabled =
      o.gil_enabled == DebugOffsets::kAbsent || Load<int32_t>(gil_bytes_, o.gil_enabled) != 0;
  gil_.locked = Load<int32_t>(gil_bytes_, o.gil_locked) > 0;
  gil_.holder = gil_.locked ? Load<uint64_t>(gil_bytes_, o.gil_last_holder) : 0;
}

// Puts the threads in order_ as they are linked in the target, newest first. Those that ReadStates
// read are at hand; the others are read one by one.
absl::Status InterpreterReader::LinkThreads() {
  std::swap(order_, order_before_);
  order_.clear();
  size_t expected = 0;  // index in order_before_ of the thread that would come next
  for (const Interpreter& interpreter : interpreters_) {
    uint64_t at = interpreter.threads_head;
    for (size_t listed = 0; at != 0 && listed < kMaxThreads; ++listed) {
      ThreadRecord* record = nullptr;
      if (expected < order_before_.size() && order_before_[expected]->thread.state_address == at) {
        record = order_before_[expected++];
      } else {
        FTP_ASSIGN_OR_RETURN(record, FindOrReadThread(at));
        for (size_t i = expected; i < order_before_.size(); ++i) {
          if (order_before_[i] == record) expected = i + 1;
        }
      }
      // A chain that loops, or leads elsewhere, changed while it was read: the next pass sees the
      // rest.
      if (record == nullptr || record->read_in != pass_ || record->seen == pass_ ||
          record->owner != interpreter.address.address()) {
        break;
      }
      record->seen = pass_;
      record->thread.interpreter = interpreter.address;
      order_.push_back(record);
      at = record->next;
    }
  }
  if (records_.size() > order_.size()) {
    absl::erase_if(records_, [&](const auto& entry) { return entry.second->seen != pass_; });
  }
  return absl::OkStatus();
}

// The record of the thread state at `address`, read in this pass; null when it can't be read.
absl::StatusOr<InterpreterReader::ThreadRecord*> InterpreterReader::FindOrReadThread(
    uint64_t address) {
  std::unique_ptr<ThreadRecord>& record = records_[address];
  if (record == nullptr) {
    record = std::make_unique<ThreadRecord>(layout_.size());
    record->thread.state_address = address;
    record->state.resize(state_size_);
    record->activity.resize(activity_size_);
  }
  if (record->read_in == pass_) return record.get();
  const absl::Status status = memory_.Read(address, record->state.data(), state_size_);
  if (IsFatal(status)) return status;
  if (!status.ok()) return nullptr;
  record->read_in = pass_;
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
  }
  record.thread.ident = ident;
  record.thread.native_thread_id = native_thread_id;
  record.thread.attachment = static_cast<PythonThread::Attachment>(Load<int32_t>(bytes, o.state));
  record.current_frame = Load<uint64_t>(bytes, o.current_frame);
  record.base_frame =
      o.base_frame == DebugOffsets::kAbsent ? 0 : Load<uint64_t>(bytes, o.base_frame);
  record.chunk = Load<uint64_t>(bytes, o.datastack_chunk);
}

void InterpreterReader::ForgetThreads() {
  order_.clear();
  order_before_.clear();
  records_.clear();
}

void InterpreterReader::AppendStackPieces(ThreadRecord& record) {
  record.copy.Prepare(pass_);
  for (int copy = 0; copy < record.copies; ++copy) {
    record.copy.AppendPieces(copy, pieces_);
    if (copy > 0) continue;
    pieces_.push_back(
        {record.thread.state_address + activity_start_, record.activity.data(), activity_size_});
  }
}

void InterpreterReader::AppendVolatileCode() {
  absl::erase_if(volatile_code_,
                 [&](const auto& entry) { return pass_ - entry.second > kVolatileKeepPasses; });
  const size_t size = code_.identity_size();
  appended_code_.clear();
  identities_.resize(volatile_code_.size() * size);
  for (const auto& entry : volatile_code_) {
    const size_t offset = appended_code_.size() * size;
    appended_code_.emplace_back(entry.first, offset);
    pieces_.push_back({entry.first, &identities_[offset], size});
  }
}

// Reads pieces_ from `first` on and returns the index of the first piece that could not be read.
// Volatile code objects come last, so what they turn out to be held when the stacks were copied
// and, as they were known before, ever since.
absl::StatusOr<size_t> InterpreterReader::ReadAppended(size_t first) {
  ++call_;
  FTP_ASSIGN_OR_RETURN(const size_t read,
                       memory_.ReadPieces(std::span<const MemoryPiece>(pieces_).subspan(first)));
  const size_t end = first + read;
  const size_t code_start = pieces_.size() - appended_code_.size();
  for (size_t i = 0; i < appended_code_.size() && code_start + i < end; ++i) {
    const auto [address, offset] = appended_code_[i];
    CodeInfo* code = code_.Find(address);
    if (code == nullptr) continue;
    if (code_.ParseIdentity(&identities_[offset]) == code->identity) {
      code->verified_in = call_;
    } else {
      code_.Discard(address);
    }
  }
  return end;
}

absl::Status InterpreterReader::ReadStacks() {
  pieces_.clear();
  piece_owners_.clear();
  for (ThreadRecord* record : order_) {
    record->copied_in = 0;
    if (record->current_frame == 0) {
      record->thread.stack = PythonThread::Stack::kEmpty;
      record->thread.frames.clear();
      continue;
    }
    piece_owners_.emplace_back(pieces_.size(), record);
    AppendStackPieces(*record);
  }
  const size_t stack_pieces = pieces_.size();
  AppendVolatileCode();
  for (size_t first = 0; first < stack_pieces;) {
    FTP_ASSIGN_OR_RETURN(const size_t end, ReadAppended(first));
    // A thread whose piece can't be read starts over by itself; the others go on behind it.
    size_t next = pieces_.size();
    for (size_t i = 0; i < piece_owners_.size(); ++i) {
      ThreadRecord& record = *piece_owners_[i].second;
      const size_t begin = piece_owners_[i].first;
      const size_t stop = i + 1 < piece_owners_.size() ? piece_owners_[i + 1].first : stack_pieces;
      if (begin >= first && stop <= end) record.copied_in = call_;
      if (begin <= end && end < stop) {
        record.copy.Reset();
        next = stop;
      }
    }
    first = next;
  }
  for (const auto& owner : piece_owners_) FTP_RETURN_IF_ERROR(Settle(*owner.second));
  return absl::OkStatus();
}

// Reads the thread's stack until it holds together, or too often.
absl::Status InterpreterReader::Settle(ThreadRecord& record) {
  PythonThread& thread = record.thread;
  for (int attempt = 0; attempt < kMaxTries; ++attempt) {
    if (record.copied_in == 0) {
      pieces_.clear();
      AppendStackPieces(record);
      const size_t stack_pieces = pieces_.size();
      AppendVolatileCode();
      FTP_ASSIGN_OR_RETURN(const size_t end, ReadAppended(0));
      if (end >= stack_pieces) {
        record.copied_in = call_;
      } else {
        record.copy.Reset();
      }
    }
    absl::Status status;
    if (record.copied_in != 0 && TryStack(record, status)) {
      thread.stack =
          thread.frames.empty() ? PythonThread::Stack::kEmpty : PythonThread::Stack::kComplete;
      return absl::OkStatus();
    }
    if (IsFatal(status)) return status;
    record.copied_in = 0;
  }
  FTP_ASSIGN_OR_RETURN(const bool listed, IsListed(record));
  thread.stack = listed ? PythonThread::Stack::kTorn : PythonThread::Stack::kEnded;
  thread.frames.clear();
  record.before.clear();
  return absl::OkStatus();
}

// One try at the stack in record.copy. False: try again, after what was missing has been learnt.
bool InterpreterReader::TryStack(ThreadRecord& record, absl::Status& status) {
  const DebugOffsets::ThreadState& o = runtime_.offsets.thread_state;
  const auto top = Load<uint64_t>(record.activity.data(), o.current_frame - activity_start_);
  PythonThread& thread = record.thread;
  thread.attachment = static_cast<PythonThread::Attachment>(
      Load<int32_t>(record.activity.data(), o.state - activity_start_));
  if (top == 0) {
    thread.frames.clear();
    thread.unchanged = false;
    return true;
  }
  const StackWalker::Result result =
      walker_.Walk(record.copy, record.copies, top, record.base_frame, thread.frames);
  for (const uint64_t address : walker_.visited()) record.copy.Touch(address, pass_);
  switch (result.outcome) {
    case StackWalker::Outcome::kMissing: {
      // The chunk may have changed since the thread state was read.
      absl::StatusOr<uint64_t> chunk =
          memory_.ReadValue<uint64_t>(thread.state_address + o.datastack_chunk);
      status =
          chunk.ok() ? record.copy.Extend(memory_, *chunk, result.address, pass_) : chunk.status();
      return false;
    }
    case StackWalker::Outcome::kUnknownCode:
      status = code_.Resolve(result.address).status();
      return false;
    case StackWalker::Outcome::kNeedsSecond:
      record.copies = 2;
      return false;
    case StackWalker::Outcome::kTorn:
      return false;
    case StackWalker::Outcome::kComplete:
      break;
  }
  record.copies = 1;
  if (!CodeStillHolds(record)) return false;
  thread.unchanged = thread.frames == record.before;
  record.before = thread.frames;
  return true;
}

// False when a volatile code object was not verified in the call that copied the stack.
bool InterpreterReader::CodeStillHolds(ThreadRecord& record) {
  bool holds = true;
  for (const StackFrame& frame : record.thread.frames) {
    if (!frame.code->is_volatile) {
      frame.code->used_since_verified = true;
      continue;
    }
    volatile_code_[frame.code->address] = pass_;
    holds &= frame.code->verified_in == record.copied_in;
  }
  return holds;
}

absl::StatusOr<bool> InterpreterReader::IsListed(const ThreadRecord& record) {
  const DebugOffsets::ThreadState& o = runtime_.offsets.thread_state;
  const uint64_t wanted = record.thread.state_address;
  absl::StatusOr<uint64_t> at = memory_.ReadValue<uint64_t>(
      record.thread.interpreter.address() + runtime_.offsets.interpreter_state.threads_head);
  for (size_t i = 0; i < kMaxThreads && at.ok() && *at != 0; ++i) {
    if (*at == wanted) {
      const auto ident = memory_.ReadValue<uint64_t>(wanted + o.thread_id);
      return ident.ok() && *ident == record.thread.ident;
    }
    at = memory_.ReadValue<uint64_t>(*at + o.next);
  }
  if (IsFatal(at.status())) return at.status();
  return false;
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
  code_.Trim();
  return absl::OkStatus();
}

}  // namespace fthreadprof
