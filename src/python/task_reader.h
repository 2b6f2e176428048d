// TaskReader finds the asyncio tasks of a running target that wait, again and again, for
// `record --async`. A sweep over all tasks is done in slices, so that no pass of the sampler is
// late for it.
//
// From 3.14 on each thread has a list of its tasks; in 3.13 they are in a WeakSet. Both know the
// tasks that asyncio's C code made, which all are but those of a task class written in Python.
//
// Lifetime: borrows memory and offsets. Thread safety: none.
#ifndef FTHREADPROF_PYTHON_TASK_READER_H_
#define FTHREADPROF_PYTHON_TASK_READER_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "process/process_memory.h"
#include "python/interpreter_reader.h"
#include "python/object_reader.h"
#include "python/task_walker.h"

namespace fthreadprof {

struct WaitingTask {
  uint64_t thread_ident = 0;  // of the thread whose event loop it belongs to; 0: not known
  const WalkedTask* task = nullptr;
  // The index of the task that awaits it, when that one is here too; its own when there is none.
  size_t awaiter = 0;
  bool is_awaiter = false;  // it is that of another one
};

class TaskReader {
 public:
  using Clock = std::chrono::steady_clock;

  // REQUIRES: memory and offsets outlive the reader.
  TaskReader(ProcessMemory& memory, const DebugOffsets& offsets, pid_t pid);
  ~TaskReader();

  // Goes on with the sweep, or begins one over the tasks of `threads`, until it is over or
  // `deadline` has passed; it does at least one step. True when a sweep ended: tasks() has what it
  // found. A failure to read is the target's doing and ends the sweep without result.
  bool Continue(std::span<PythonThread* const> threads, Clock::time_point deadline);

  // Whether a sweep has begun and is not over.
  bool sweeping() const { return sweeping_; }

  // Valid until the next Continue.
  const std::vector<WaitingTask>& tasks() const { return tasks_; }

  // Why there can be no tasks, a sentence for people: empty when asyncio was found, or is not in
  // use.
  const std::string& problem() const { return problem_; }

 private:
  struct Found {
    uint64_t task = 0;
    uint64_t thread_ident = 0;
  };
  struct List {
    uint64_t head = 0;  // address of the list's struct llist_node
    uint64_t thread_ident = 0;
  };

  bool FindAsyncio(Clock::time_point now);
  absl::Status Begin(std::span<PythonThread* const> threads);
  absl::Status ListWeakSets(std::span<PythonThread* const> threads);
  absl::Status ListWeakSet(InterpreterPtr interpreter);
  absl::StatusOr<ObjectPtr> FindWeakSet(InterpreterPtr interpreter);
  void StepAlongLists();
  void WalkTask(const Found& found);
  void Link();
  uint64_t IdentOfLoop(uint64_t loop);

  ProcessMemory& memory_;
  const DebugOffsets& offsets_;
  const pid_t pid_;
  ObjectReader objects_;
  std::string problem_;
  Clock::time_point next_search_;  // of asyncio's table
  std::optional<AsyncioLayout> layout_;
  std::unique_ptr<TaskWalker> walker_;

  // The sweep.
  bool sweeping_ = false;
  std::vector<List> lists_;  // still to be followed; the last one is
  uint64_t node_ = 0;        // of that one: the last that was seen
  int restarts_ = 0;         // because a node was gone
  std::vector<Found> found_;
  absl::flat_hash_set<uint64_t> seen_;
  size_t walked_ = 0;  // of found_
  absl::flat_hash_map<uint64_t, uint64_t> idents_of_loops_;
  std::vector<uint64_t> addresses_;  // of tasks_
  std::vector<WaitingTask> tasks_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_TASK_READER_H_
