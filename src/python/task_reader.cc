#include "python/task_reader.h"

#include <algorithm>

#include "base/status_macros.h"
#include "python/object_layout.h"
#include "python/runtime_locator.h"

namespace fthreadprof {
namespace {

using namespace std::chrono_literals;

// How often it is looked whether asyncio is there by now.
constexpr std::chrono::microseconds kSearchInterval = 500ms;
constexpr size_t kMaxTasks = 1 << 20;
constexpr int kMaxRestarts = 8;

// PySetObject: {PyObject_HEAD, fill, used, mask, table, ...}, and setentry: {key, hash};
// cpython/setobject.h. PyWeakReference: {PyObject_HEAD, wr_object, ...}; cpython/weakrefobject.h.
constexpr uint64_t kSetMask = 2 * kWordSize;
constexpr uint64_t kSetTable = 3 * kWordSize;
constexpr uint64_t kSetEntrySize = 2 * kWordSize;

}  // namespace

TaskReader::TaskReader(ProcessMemory& memory, const DebugOffsets& offsets, pid_t pid)
    : memory_(memory), offsets_(offsets), pid_(pid), objects_(memory, offsets) {}

TaskReader::~TaskReader() = default;

bool TaskReader::Continue(std::span<PythonThread* const> threads, Clock::time_point deadline) {
  if (!FindAsyncio(Clock::now())) return false;
  if (!sweeping_) {
    tasks_.clear();
    if (!Begin(threads).ok()) return false;
    sweeping_ = true;
  }
  do {
    if (!lists_.empty()) {
      StepAlongLists();
    } else if (walked_ < found_.size()) {
      WalkTask(found_[walked_++]);
    } else {
      Link();
      sweeping_ = false;
      return true;
    }
  } while (Clock::now() < deadline);
  return false;
}

bool TaskReader::FindAsyncio(Clock::time_point now) {
  if (layout_) return true;
  if (now < next_search_) return false;
  next_search_ = now + kSearchInterval;
  if (offsets_.minor() == 13) {
    layout_ = AsyncioLayout::Of313(offsets_);
  } else {
    const absl::StatusOr<uint64_t> table = FindAsyncioTable(pid_);
    if (absl::IsUnavailable(table.status())) problem_ = std::string(table.status().message());
    if (!table.ok()) return false;
    problem_.clear();
    std::vector<uint8_t> bytes(AsyncioLayout::kTableSize);
    if (!memory_.Read(*table, bytes.data(), bytes.size()).ok()) return false;
    absl::StatusOr<AsyncioLayout> layout = AsyncioLayout::Parse(bytes, offsets_);
    if (!layout.ok()) {
      problem_ = std::string(layout.status().message());
      return false;
    }
    layout_ = *layout;
  }
  walker_ = std::make_unique<TaskWalker>(memory_, offsets_, *layout_);
  return true;
}

absl::Status TaskReader::Begin(std::span<PythonThread* const> threads) {
  walker_->Forget();
  lists_.clear();
  found_.clear();
  seen_.clear();
  addresses_.clear();
  idents_of_loops_.clear();
  walked_ = 0;
  node_ = 0;
  restarts_ = 0;
  if (layout_->thread_tasks_head == DebugOffsets::kAbsent) return ListWeakSets(threads);
  for (const PythonThread* thread : threads) {
    lists_.push_back({thread->state_address + layout_->thread_tasks_head, thread->ident});
  }
  return absl::OkStatus();
}

// One node further. The target goes on changing its lists: where the node that we came to has left
// its list, that one is begun anew, and what was found stays found.
void TaskReader::StepAlongLists() {
  const List& list = lists_.back();
  if (node_ == 0) node_ = list.head;
  const absl::StatusOr<uint64_t> next = memory_.ReadValue<uint64_t>(node_);
  const bool lost = !next.ok() || *next == 0 || *next % kWordSize != 0;
  if (lost && node_ != list.head && ++restarts_ <= kMaxRestarts) {
    node_ = 0;
    return;
  }
  if (lost || *next == list.head || found_.size() >= kMaxTasks) {
    lists_.pop_back();
    node_ = 0;
    return;
  }
  node_ = *next;
  const uint64_t task = node_ - layout_->task_node;
  if (seen_.insert(task).second) {
    found_.push_back({task, list.thread_ident});
  } else if (restarts_ == 0) {
    // Only after a restart may a task be met twice: this is another list, or none at all.
    lists_.pop_back();
    node_ = 0;
  }
}

absl::Status TaskReader::ListWeakSets(std::span<PythonThread* const> threads) {
  absl::flat_hash_set<uint64_t> interpreters;
  for (const PythonThread* thread : threads) {
    if (!interpreters.insert(thread->interpreter.address()).second) continue;
    const absl::Status listed = ListWeakSet(thread->interpreter);
    if (!listed.ok() && !absl::IsDataLoss(listed)) return listed;
  }
  return absl::OkStatus();
}

// The set `data` of _asyncio._scheduled_tasks, null when asyncio is not imported.
absl::StatusOr<ObjectPtr> TaskReader::FindWeakSet(InterpreterPtr interpreter) {
  FTP_ASSIGN_OR_RETURN(const uint64_t modules,
                       memory_.ReadValue<uint64_t>(interpreter.address() +
                                                   offsets_.interpreter_state.imports_modules));
  if (modules == 0) return ObjectPtr();
  FTP_ASSIGN_OR_RETURN(const ObjectPtr module, objects_.LookUp(ObjectPtr(modules), "_asyncio"));
  if (!module) return ObjectPtr();
  FTP_ASSIGN_OR_RETURN(const uint64_t globals,
                       memory_.ReadValue<uint64_t>(module.address() + ModuleDictField(offsets_)));
  if (globals == 0) return ObjectPtr();
  FTP_ASSIGN_OR_RETURN(const ObjectPtr weak_set,
                       objects_.LookUp(ObjectPtr(globals), "_scheduled_tasks"));
  if (!weak_set) return ObjectPtr();
  return objects_.ReadAttribute(weak_set, "data");
}

absl::Status TaskReader::ListWeakSet(InterpreterPtr interpreter) {
  FTP_ASSIGN_OR_RETURN(const ObjectPtr set, FindWeakSet(interpreter));
  if (!set) return absl::OkStatus();
  const uint64_t fields = set.address() + offsets_.pyobject.size;
  FTP_ASSIGN_OR_RETURN(const uint64_t mask, memory_.ReadValue<uint64_t>(fields + kSetMask));
  FTP_ASSIGN_OR_RETURN(const uint64_t table, memory_.ReadValue<uint64_t>(fields + kSetTable));
  if (mask >= 4 * kMaxTasks) return Torn("a set of an absurd size");
  std::vector<uint64_t> entries((mask + 1) * 2);
  FTP_RETURN_IF_ERROR(memory_.Read(table, entries.data(), entries.size() * kWordSize));
  static_assert(kSetEntrySize == 2 * sizeof entries[0]);
  std::vector<uint64_t> tasks(mask + 1);
  std::vector<MemoryPiece> pieces;
  for (size_t i = 0; i <= mask; ++i) {
    const uint64_t reference = entries[2 * i];
    if (reference == 0) continue;
    pieces.push_back({reference + offsets_.pyobject.size, &tasks[i], sizeof tasks[i]});
  }
  // A key that was freed meanwhile ends the call: the others are read all the same.
  for (std::span<const MemoryPiece> left = pieces; !left.empty();) {
    FTP_ASSIGN_OR_RETURN(const size_t read, memory_.ReadPieces(left));
    left = left.subspan(std::min(read + 1, left.size()));
  }
  for (const uint64_t task : tasks) {
    if (task != 0 && seen_.insert(task).second) found_.push_back({task, 0});
  }
  return absl::OkStatus();
}

void TaskReader::WalkTask(const Found& found) {
  const absl::StatusOr<const WalkedTask*> task = walker_->Walk(found.task);
  if (!task.ok() || !(*task)->waits) return;
  uint64_t ident = found.thread_ident;
  if (ident == 0) ident = IdentOfLoop((*task)->loop);
  addresses_.push_back(found.task);
  tasks_.push_back({.thread_ident = ident, .task = *task});
}

// BaseEventLoop has `_thread_id` while it runs.
uint64_t TaskReader::IdentOfLoop(uint64_t loop) {
  const auto [entry, is_new] = idents_of_loops_.try_emplace(loop, 0);
  if (!is_new || loop == 0) return entry->second;
  const auto attribute = objects_.ReadAttribute(ObjectPtr(loop), "_thread_id");
  if (!attribute.ok() || !*attribute) return 0;
  entry->second = objects_.ReadUnsigned(*attribute).value_or(0);
  return entry->second;
}

// Finds for each task the one that awaits it.
void TaskReader::Link() {
  absl::flat_hash_map<uint64_t, size_t> indexes;
  for (size_t i = 0; i < tasks_.size(); ++i) {
    indexes[addresses_[i]] = i;
    tasks_[i].awaiter = i;
  }
  const auto link = [&](size_t task, size_t awaiter) {
    if (task == awaiter) return;
    tasks_[task].awaiter = awaiter;
    tasks_[awaiter].is_awaiter = true;
  };
  for (size_t i = 0; i < tasks_.size(); ++i) {
    const WalkedTask& task = *tasks_[i].task;
    if (const auto to = indexes.find(task.awaiter); to != indexes.end()) link(i, to->second);
    if (const auto of = indexes.find(task.awaits); of != indexes.end()) link(of->second, i);
  }
}

}  // namespace fthreadprof
