#include "python/task_walker.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/load.h"
#include "base/status_macros.h"
#include "python/object_layout.h"

namespace fthreadprof {
namespace {

constexpr int kTries = 3;
// Coroutines in a chain, and futures between a task and the task that awaits it (gather makes one).
constexpr int kMaxChain = 256;
constexpr int kMaxFutures = 16;
constexpr size_t kMaxTaskName = 256;
constexpr size_t kMaxKinds = 4096;

// gi_frame_state: enum _framestate in pycore_frame.h; its numbers are new in 3.15.
enum class FrameState { kCreated, kSuspended, kYieldFrom, kExecuting, kFinished };

FrameState FrameStateOf(int8_t value, const DebugOffsets& offsets) {
  if (offsets.minor() < 15) {
    if (value <= -3) return FrameState::kCreated;
    if (value >= 1) return FrameState::kFinished;
    constexpr std::array kStates = {FrameState::kSuspended, FrameState::kYieldFrom,
                                    FrameState::kExecuting};
    return kStates[static_cast<size_t>(value + 2)];
  }
  constexpr std::array kStates = {FrameState::kCreated, FrameState::kSuspended,
                                  FrameState::kYieldFrom, FrameState::kYieldFrom,  // .._LOCKED
                                  FrameState::kExecuting};
  const auto index = static_cast<uint8_t>(value);
  return index < kStates.size() ? kStates[index] : FrameState::kFinished;
}

// PyGenObject, as PyCoroObject and PyAsyncGenObject: {PyObject_HEAD, weakreflist, name, qualname,
// exc_state of two pointers, origin_or_finalizer, 3 chars, frame_state, iframe};
// cpython/genobject.h in 3.13, whose table leaves it out.
uint64_t FrameStateField(const DebugOffsets& offsets) {
  return offsets.minor() == 13 ? offsets.pyobject.size + 51 : offsets.gen_object.gi_frame_state;
}
uint64_t FrameField(const DebugOffsets& offsets) {
  return offsets.minor() == 13 ? offsets.pyobject.size + 56 : offsets.gen_object.gi_iframe;
}

}  // namespace

// Notes what is read through it.
class TaskWalker::EvidenceMemory : public ProcessMemory {
 public:
  struct Piece {
    uint64_t address;
    uint32_t size;
  };

  explicit EvidenceMemory(ProcessMemory& memory) : memory_(memory) {}

  absl::StatusOr<size_t> ReadPieces(std::span<const MemoryPiece> pieces) override {
    FTP_ASSIGN_OR_RETURN(const size_t read, memory_.ReadPieces(pieces));
    for (const MemoryPiece& piece : pieces.first(read)) {
      Note(piece.address, static_cast<const uint8_t*>(piece.buffer), piece.size);
    }
    return read;
  }

  // That `size` bytes were read at `address`.
  void Note(uint64_t address, const uint8_t* bytes, size_t size) {
    pieces_.push_back({address, static_cast<uint32_t>(size)});
    bytes_.insert(bytes_.end(), bytes, bytes + size);
  }

  void Start() {
    pieces_.clear();
    bytes_.clear();
  }
  const std::vector<Piece>& pieces() const { return pieces_; }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  ProcessMemory& memory_;
  std::vector<Piece> pieces_;
  std::vector<uint8_t> bytes_;
};

// A task and what was read of it.
struct TaskWalker::Known {
  WalkedTask task;
  std::vector<EvidenceMemory::Piece> pieces;
  std::vector<uint8_t> bytes;
  uint64_t round = 0;
};

TaskWalker::TaskWalker(ProcessMemory& memory, const DebugOffsets& offsets,
                       const AsyncioLayout& layout)
    : memory_(memory),
      offsets_(offsets),
      layout_(layout),
      frames_(offsets),
      evidence_(std::make_unique<EvidenceMemory>(memory)),
      objects_(memory, offsets),
      codes_(memory, offsets) {
  const DebugOffsets::InterpreterFrame& frame = offsets.interpreter_frame;
  const uint64_t stackpointer =
      frame.stackpointer == DebugOffsets::kAbsent ? 0 : frame.stackpointer + kWordSize;
  object_.resize(FrameField(offsets) + std::max(frames_.size(), stackpointer));
}

TaskWalker::~TaskWalker() = default;

void TaskWalker::Forget() {
  if (!codes_.retired().empty()) {
    known_.clear();  // some have code objects that are let go now
    codes_.ReleaseRetired();
  }
  absl::erase_if(known_, [&](const auto& entry) { return entry.second->round != round_; });
  ++round_;
  codes_.Trim();
}

absl::StatusOr<const WalkedTask*> TaskWalker::Walk(uint64_t address) {
  std::unique_ptr<Known>& slot = known_[address];
  if (slot != nullptr) {
    FTP_ASSIGN_OR_RETURN(const bool holds, StillHolds(*slot));
    slot->round = round_;
    if (holds) return &slot->task;
  }
  absl::Status last;
  for (int i = 0; i < kTries; ++i) {
    auto known = std::make_unique<Known>();
    evidence_->Start();
    last = Gather(address, known->task);
    if (absl::IsDataLoss(last)) continue;
    FTP_RETURN_IF_ERROR(last);
    known->pieces = evidence_->pieces();
    known->bytes = evidence_->bytes();
    known->round = round_;
    FTP_ASSIGN_OR_RETURN(const bool holds, StillHolds(*known));
    if (holds) {
      slot = std::move(known);
      return &slot->task;
    }
    last = Torn("a task changed while it was read");
  }
  known_.erase(address);
  return last;
}

absl::StatusOr<bool> TaskWalker::StillHolds(const Known& known) {
  std::vector<uint8_t> now(known.bytes.size());
  std::vector<MemoryPiece> pieces;
  pieces.reserve(known.pieces.size());
  uint8_t* at = now.data();
  for (const EvidenceMemory::Piece& piece : known.pieces) {
    pieces.push_back({piece.address, at, piece.size});
    at += piece.size;
  }
  FTP_ASSIGN_OR_RETURN(const size_t read, memory_.ReadPieces(pieces));
  return read == pieces.size() && now == known.bytes;
}

absl::Status TaskWalker::Gather(uint64_t address, WalkedTask& task) {
  FTP_ASSIGN_OR_RETURN(const uint64_t coroutine,
                       evidence_->ReadValue<uint64_t>(address + layout_.task_coro));
  if (coroutine == 0) return absl::OkStatus();  // done, or not set up yet
  FTP_RETURN_IF_ERROR(GatherFrames(coroutine, task));
  if (!task.waits) return absl::OkStatus();
  FTP_ASSIGN_OR_RETURN(const uint64_t name,
                       evidence_->ReadValue<uint64_t>(address + layout_.task_name));
  FTP_ASSIGN_OR_RETURN(task.name, ReadName(name));
  if (layout_.task_awaited_by != DebugOffsets::kAbsent) {
    FTP_ASSIGN_OR_RETURN(task.awaiter, FindAwaiter(address));
  } else {
    FTP_ASSIGN_OR_RETURN(task.awaits,
                         evidence_->ReadValue<uint64_t>(address + layout_.task_fut_waiter));
    FTP_ASSIGN_OR_RETURN(task.loop, evidence_->ReadValue<uint64_t>(address + layout_.task_loop));
  }
  return absl::OkStatus();
}

absl::Status TaskWalker::GatherFrames(uint64_t coroutine, WalkedTask& task) {
  uint64_t object = coroutine;
  for (int i = 0; object != 0; ++i) {
    if (i == kMaxChain) return Torn("a chain of coroutines has no end");
    FTP_ASSIGN_OR_RETURN(const ObjectKind kind, ReadObject(object));
    if (kind == ObjectKind::kOther) {
      if (i == 0) return Torn("a task without a coroutine");
      break;  // a future, or an awaitable that is not written in Python
    }
    if (kind == ObjectKind::kWrapper) {
      object = Load<uint64_t>(object_.data(), offsets_.pyobject.size);
      continue;
    }
    FTP_ASSIGN_OR_RETURN(object, GatherFrame(object, task));
  }
  std::reverse(task.frames.begin(), task.frames.end());
  return absl::OkStatus();
}

// Reads all that is needed of a generator in one piece, whatever the object is: then it counts as
// read as far as it is looked at. What is before the type, the count of references, changes.
absl::StatusOr<TaskWalker::ObjectKind> TaskWalker::ReadObject(uint64_t object) {
  const uint64_t start = offsets_.pyobject.ob_type;
  const uint64_t first_field_end = offsets_.pyobject.size + kWordSize;
  absl::Status read = memory_.Read(object + start, object_.data() + start, object_.size() - start);
  if (absl::IsDataLoss(read)) {
    // It may be smaller, and lie where memory ends.
    std::fill(object_.begin(), object_.end(), uint8_t{0});
    read = memory_.Read(object + start, object_.data() + start, first_field_end - start);
  }
  FTP_RETURN_IF_ERROR(read);
  FTP_ASSIGN_OR_RETURN(const ObjectKind kind, KindOf(Load<uint64_t>(object_.data(), start)));
  const uint64_t end = kind == ObjectKind::kGenerator ? object_.size()
                       : kind == ObjectKind::kWrapper ? first_field_end
                                                      : start + kWordSize;
  evidence_->Note(object + start, object_.data() + start, end - start);
  return kind;
}

// Appends the frame of the coroutine or generator in object_; returns what it awaits, 0 when that
// is not known. Where it runs or has ended, the task does not wait.
absl::StatusOr<uint64_t> TaskWalker::GatherFrame(uint64_t generator, WalkedTask& task) {
  const auto value = Load<int8_t>(object_.data(), FrameStateField(offsets_));
  const FrameState state = FrameStateOf(value, offsets_);
  task.waits = state != FrameState::kExecuting && state != FrameState::kFinished;
  if (!task.waits) return 0;
  FTP_RETURN_IF_ERROR(AppendFrame(generator, task));
  return state == FrameState::kYieldFrom ? Awaited(generator) : 0;
}

absl::Status TaskWalker::AppendFrame(uint64_t generator, WalkedTask& task) {
  const uint64_t field = FrameField(offsets_);
  const FrameRecord frame = frames_.Decode(generator + field, object_.data() + field);
  if (frame.executable == 0) return Torn("a coroutine's frame was cleared");
  CodeInfo* code = codes_.Find(frame.executable);
  if (code == nullptr) {
    FTP_ASSIGN_OR_RETURN(code, codes_.Resolve(frame.executable));
  }
  // The entry may be of an earlier object at this address.
  FTP_ASSIGN_OR_RETURN(const CodeIdentity identity, ReadIdentity(frame.executable));
  if (identity != code->identity) {
    codes_.Discard(frame.executable);
    return Torn("a code object's address changed hands");
  }
  const int line = codes_.LineOf(*code, frame.instruction, frame.tlbc_index);
  if (line < 0) return Torn("an instruction is not in its code object");
  task.frames.push_back({code, line});
  return absl::OkStatus();
}

// The fields of a code object that tell lie together, and nothing among them changes.
absl::StatusOr<CodeIdentity> TaskWalker::ReadIdentity(uint64_t code) {
  const DebugOffsets::CodeObject& layout = offsets_.code_object;
  const auto [start, last] = std::minmax({layout.firstlineno, layout.version, layout.filename,
                                          layout.name, layout.qualname, layout.linetable});
  std::vector<uint8_t> bytes(std::max(codes_.identity_size(), last + kWordSize));
  FTP_RETURN_IF_ERROR(
      evidence_->Read(code + start, bytes.data() + start, last + kWordSize - start));
  return codes_.ParseIdentity(bytes.data());
}

// What a frame that is suspended in an await or a `yield from` waits for: the top of its stack;
// from 3.15 on there may be an index, which is no object, above it.
absl::StatusOr<uint64_t> TaskWalker::Awaited(uint64_t generator) {
  const DebugOffsets::InterpreterFrame& layout = offsets_.interpreter_frame;
  const uint64_t field = FrameField(offsets_);
  const uint64_t locals = generator + field + layout.localsplus;
  uint64_t top = 0;
  if (layout.stacktop != DebugOffsets::kAbsent) {
    const auto depth = Load<int32_t>(object_.data(), field + layout.stacktop);
    if (depth <= 0) return Torn("a suspended frame without a stack");
    top = locals + static_cast<uint64_t>(depth) * kWordSize;
  } else {
    top = Load<uint64_t>(object_.data(), field + layout.stackpointer);
  }
  for (int below = 1; below <= 2; ++below) {
    const uint64_t slot = top - static_cast<uint64_t>(below) * kWordSize;
    if (slot < locals || slot % kWordSize != 0) break;
    FTP_ASSIGN_OR_RETURN(const uint64_t reference, evidence_->ReadValue<uint64_t>(slot));
    if (const uint64_t object = frames_.StripTags(reference); object != 0) return object;
    if (offsets_.minor() < 15) break;
  }
  return Torn("a frame waits for nothing");
}

// A str, or the number of a task that was given no name: Task.get_name() makes "Task-N" of it.
absl::StatusOr<std::string> TaskWalker::ReadName(uint64_t name) {
  if (name == 0) return std::string("?");
  // Its length and hash, or its size and first digit, tell it from a later object at this address.
  std::array<uint32_t, 3> fields;
  FTP_RETURN_IF_ERROR(evidence_->Read(name + offsets_.pyobject.size, fields.data(), sizeof fields));
  absl::StatusOr<std::string> text = objects_.ReadStr(ObjectPtr(name), kMaxTaskName);
  if (!absl::IsDataLoss(text.status())) return text;
  FTP_ASSIGN_OR_RETURN(const uint64_t number, objects_.ReadUnsigned(ObjectPtr(name)));
  return absl::StrCat("Task-", number);
}

absl::StatusOr<uint64_t> TaskWalker::FindAwaiter(uint64_t task) {
  uint64_t future = task;
  for (int i = 0; i < kMaxFutures; ++i) {
    FTP_ASSIGN_OR_RETURN(const uint64_t awaiter,
                         evidence_->ReadValue<uint64_t>(future + layout_.task_awaited_by));
    FTP_ASSIGN_OR_RETURN(const auto is_set,
                         evidence_->ReadValue<uint8_t>(future + layout_.task_awaited_by_is_set));
    if (awaiter == 0 || is_set != 0) return 0;
    FTP_ASSIGN_OR_RETURN(const auto is_task,
                         evidence_->ReadValue<uint8_t>(awaiter + layout_.task_is_task));
    if (is_task != 0) return awaiter;
    future = awaiter;
  }
  return 0;
}

// All types that matter are CPython's own, static ones: those are never freed, so that what was
// learnt of one stays true.
absl::StatusOr<TaskWalker::ObjectKind> TaskWalker::KindOf(uint64_t type) {
  if (const auto known = kinds_.find(type); known != kinds_.end()) return known->second;
  const DebugOffsets::TypeObject& layout = offsets_.type_object;
  FTP_ASSIGN_OR_RETURN(const uint64_t flags, memory_.ReadValue<uint64_t>(type + layout.tp_flags));
  if ((flags & TypeFlags::kHeapType) != 0) return ObjectKind::kOther;
  FTP_ASSIGN_OR_RETURN(const uint64_t at, memory_.ReadValue<uint64_t>(type + layout.tp_name));
  // It may lie at the very end of what is mapped: a name that is shorter is none of those below.
  std::array<char, sizeof "async_generator_athrow"> text = {};
  const size_t kPage = 4096;
  const size_t size = std::min<uint64_t>(text.size() - 1, kPage - at % kPage);
  FTP_RETURN_IF_ERROR(memory_.Read(at, text.data(), size));
  if (size < text.size() - 1) {
    static_cast<void>(memory_.Read(at + size, text.data() + size, text.size() - 1 - size));
  }
  const std::string_view name(text.data());
  ObjectKind kind = ObjectKind::kOther;
  if (name == "coroutine" || name == "generator" || name == "async_generator") {
    kind = ObjectKind::kGenerator;
  } else if (name == "coroutine_wrapper" || name == "async_generator_asend" ||
             name == "async_generator_athrow" || name == "anext_awaitable") {
    kind = ObjectKind::kWrapper;  // its first field is what it wraps
  }
  if (kinds_.size() >= kMaxKinds) kinds_.clear();
  kinds_[type] = kind;
  return kind;
}

}  // namespace fthreadprof
