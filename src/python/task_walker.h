// TaskWalker reads one asyncio task out of a running target: its name, the chain of coroutines
// that it is suspended in, and which task awaits it.
//
// Truth: all that an answer rests on (pointers, frames, the identities of code objects) is read
// twice, the second time in one call after the first is over, and must not have changed; so there
// was a moment when all of it held. An answer is kept with what it rests on: while that reads the
// same, in one call, so does the answer.
//
// Lifetime: borrows memory and offsets; answers, and the CodeInfos in them, live until the next
// Forget. Thread safety: none.
#ifndef FTHREADPROF_PYTHON_TASK_WALKER_H_
#define FTHREADPROF_PYTHON_TASK_WALKER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "process/process_memory.h"
#include "python/asyncio_layout.h"
#include "python/code_object_cache.h"
#include "python/frame_layout.h"
#include "python/object_reader.h"
#include "python/stack_walker.h"

namespace fthreadprof {

// A task as it was read.
struct WalkedTask {
  // It is suspended, or was not started yet: not running, and not done.
  bool waits = false;
  std::string name;                // as Task.get_name() has it
  std::vector<StackFrame> frames;  // innermost first
  uint64_t awaiter = 0;            // the one task that awaits it, where that can be told
  uint64_t awaits = 0;             // the future or task that it awaits; 3.13 only
  uint64_t loop = 0;               // its event loop; 3.13 only
};

class TaskWalker {
 public:
  // REQUIRES: memory and offsets outlive the walker.
  TaskWalker(ProcessMemory& memory, const DebugOffsets& offsets, const AsyncioLayout& layout);
  ~TaskWalker();

  // The task at `address`, valid until the next Forget. Fails with kDataLoss when there is no task,
  // or it changes all the time; kNotFound when the process is gone.
  absl::StatusOr<const WalkedTask*> Walk(uint64_t address);
  // Forgets the tasks that were not walked since the last call.
  void Forget();

 private:
  class EvidenceMemory;
  struct Known;
  enum class ObjectKind { kOther, kGenerator, kWrapper };

  absl::StatusOr<bool> StillHolds(const Known& known);
  absl::Status Gather(uint64_t address, WalkedTask& task);
  absl::Status GatherFrames(uint64_t coroutine, WalkedTask& task);
  absl::StatusOr<ObjectKind> ReadObject(uint64_t object);
  absl::StatusOr<uint64_t> GatherFrame(uint64_t generator, WalkedTask& task);
  absl::Status AppendFrame(uint64_t generator, WalkedTask& task);
  absl::StatusOr<CodeIdentity> ReadIdentity(uint64_t code);
  absl::StatusOr<uint64_t> Awaited(uint64_t generator);
  absl::StatusOr<std::string> ReadName(uint64_t name);
  absl::StatusOr<uint64_t> FindAwaiter(uint64_t task);
  absl::StatusOr<ObjectKind> KindOf(uint64_t type);

  ProcessMemory& memory_;
  const DebugOffsets& offsets_;
  const AsyncioLayout layout_;
  FrameLayout frames_;
  std::unique_ptr<EvidenceMemory> evidence_;
  ObjectReader objects_;
  CodeObjectCache codes_;
  std::vector<uint8_t> object_;                      // a coroutine's bytes up to its frame's stack
  absl::flat_hash_map<uint64_t, ObjectKind> kinds_;  // by type
  absl::flat_hash_map<uint64_t, std::unique_ptr<Known>> known_;
  uint64_t round_ = 0;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_TASK_WALKER_H_
