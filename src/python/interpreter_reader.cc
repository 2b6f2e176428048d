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
  uint64_t seen = 0;  // pass
  uint64_t next = 0;
  uint64_t current_frame = 0;
  uint64_t base_frame = 0;
  uint64_t chunk = 0;
  uint64_t copied_in = 0;  // the call that filled `copy`; 0: it must be read
  std::vector<StackFrame> before;
  uint64_t top_instruction = 0;
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

absl::Status InterpreterReader::ReadStates() {
  const DebugOffsets::InterpreterState& o = runtime_.offsets.interpreter_state;
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (interpreters_.empty()) {
      const absl::Status status = ReadInterpreters();
      if (IsFatal(status)) return status;
      if (!status.ok()) {
        interpreters_.clear();
        return absl::UnavailableError("the interpreter is not there");
      }
    }
    pieces_.clear();
    const uint64_t head_at =
        runtime_.address.address() + runtime_.offsets.runtime_state.interpreters_head;
    pieces_.push_back({head_at, &interpreters_head_, sizeof interpreters_head_});
    std::vector<uint64_t> nexts(interpreters_.size());
    for (size_t i = 0; i < interpreters_.size(); ++i) {
      Interpreter& interpreter = interpreters_[i];
      const uint64_t at = interpreter.address.address();
      pieces_.push_back({at + o.next, &nexts[i], 8});
      pieces_.push_back({at + o.threads_head, &interpreter.threads_head, 8});
      if (o.tlbc_generation != DebugOffsets::kAbsent) {
        pieces_.push_back({at + o.tlbc_generation, &interpreter.tlbc_generation, 4});
      }
    }
    const uint64_t gil = interpreters_.back().gil;  // the main interpreter is the oldest: last
    if (gil != 0) pieces_.push_back({gil, gil_bytes_, sizeof gil_bytes_});
    const size_t fixed = pieces_.size();
    for (ThreadRecord* record : order_) {
      pieces_.push_back({record->thread.state_address, record->state.data(), state_size_});
    }
    const uint32_t generation = interpreters_.back().tlbc_generation;
    FTP_ASSIGN_OR_RETURN(const size_t read, memory_.ReadPieces(pieces_));
    if (read < fixed || interpreters_head_ != interpreters_.front().address.address()) {
      interpreters_.clear();
      ForgetThreads();
      continue;
    }
    for (size_t i = 0; i < order_.size(); ++i) {
      if (fixed + i < read) ParseThreadState(*order_[i]);
    }
    order_.resize(std::min(order_.size(), read - fixed));
    bool interpreters_hold = true;
    for (size_t i = 0; i < nexts.size(); ++i) {
      interpreters_hold &= nexts[i] == interpreters_[i].next;
    }
    if (!interpreters_hold) {
      interpreters_.clear();
      continue;
    }
    if (generation != interpreters_.back().tlbc_generation) code_.ForgetThreadLocalBytecode();
    gil_ = {.address = gil};
    gil_.enabled =
        o.gil_enabled == DebugOffsets::kAbsent || Load<int32_t>(gil_bytes_, o.gil_enabled) != 0;
    gil_.locked = Load<int32_t>(gil_bytes_, o.gil_locked) > 0;
    gil_.holder = gil_.locked ? Load<uint64_t>(gil_bytes_, o.gil_last_holder) : 0;

    // Threads are linked newest first. What was read is right where it hangs together; the rest is
    // followed.
    absl::flat_hash_map<uint64_t, ThreadRecord*> fresh;
    for (ThreadRecord* record : order_) fresh[record->thread.state_address] = record;
    order_.clear();
    for (Interpreter& interpreter : interpreters_) {
      uint64_t at = interpreter.threads_head;
      size_t listed = 0;
      while (at != 0 && listed++ < kMaxThreads) {
        std::unique_ptr<ThreadRecord>& slot = records_[at];
        const auto it = fresh.find(at);
        if (it == fresh.end()) {
          if (slot == nullptr) slot = std::make_unique<ThreadRecord>(layout_.size());
          slot->thread.state_address = at;
          slot->state.resize(state_size_);
          slot->activity.resize(activity_size_);
          const absl::Status status = memory_.Read(at, slot->state.data(), state_size_);
          if (IsFatal(status)) return status;
          if (!status.ok()) {
            if (slot->seen == 0) records_.erase(at);
            break;  // the list changed; the next pass sees the rest
          }
          ParseThreadState(*slot);
        }
        ThreadRecord& record = *slot;
        if (record.seen == pass_) break;  // a loop: the list changed
        const uint64_t expected = interpreter.address.address();
        if (Load<uint64_t>(record.state.data(), runtime_.offsets.thread_state.interp) != expected) {
          break;
        }
        record.seen = pass_;
        record.thread.interpreter = interpreter.address;
        order_.push_back(&record);
        at = record.next;
      }
    }
    if (records_.size() > order_.size()) {
      absl::erase_if(records_, [&](const auto& entry) { return entry.second->seen != pass_; });
    }
    return absl::OkStatus();
  }
  return absl::UnavailableError("the interpreter is not there");
}

void InterpreterReader::ParseThreadState(ThreadRecord& record) {
  const DebugOffsets::ThreadState& o = runtime_.offsets.thread_state;
  const uint8_t* bytes = record.state.data();
  record.next = Load<uint64_t>(bytes, o.next);
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
