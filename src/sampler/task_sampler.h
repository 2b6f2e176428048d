// TaskSampler puts the asyncio tasks of a process that wait into the profile, for --async: beside
// the threads, a list of tasks for each event loop's thread (ProfiledThread::tasks).
//
// A task's stack is: the stack of the one task that awaits it, when there is one; a frame
// "task NAME (asyncio)"; the coroutines that it is suspended in. A task that awaits another that is
// counted is in that one's stack, and not counted for itself.
//
// Lifetime: borrows memory, offsets and profile. Thread safety: none.
#ifndef FTHREADPROF_SAMPLER_TASK_SAMPLER_H_
#define FTHREADPROF_SAMPLER_TASK_SAMPLER_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "process/process_memory.h"
#include "profile/profile.h"
#include "python/task_reader.h"

namespace fthreadprof {

class TaskSampler {
 public:
  // REQUIRES: memory, offsets and profile outlive the sampler.
  TaskSampler(ProcessMemory& memory, const DebugOffsets& offsets, pid_t pid, Profile& profile)
      : reader_(memory, offsets, pid), profile_(profile) {}

  // Goes on looking at the tasks of `threads`, in pass number `pass`, for up to `time`. True when
  // all of them have been seen: then call Count.
  bool Continue(std::span<PythonThread* const> threads, uint64_t pass,
                std::chrono::nanoseconds time);

  // Appends a sample for each task that waits, for the passes since the last. `thread_of` gives the
  // thread with an ident, else one to put up with; none: its tasks are passed over.
  void Count(const std::function<std::optional<ThreadIndex>(uint64_t)>& thread_of, uint64_t time_us,
             std::vector<LoggedSample>& samples);

  // Why there are no tasks, a sentence for people; else "".
  const std::string& problem() const { return reader_.problem(); }

 private:
  std::vector<size_t> ChainOf(size_t task) const;
  StackId Intern(const std::vector<size_t>& chain);
  FrameId TaskFrame(const std::string& name);
  ThreadIndex TasksOf(ThreadIndex thread);

  TaskReader reader_;
  Profile& profile_;
  uint64_t counted_pass_ = 0;  // up to which the tasks are counted
  uint64_t pass_ = 0;
  bool has_counted_ = false;
  TaskReader::Clock::time_point last_count_;
  absl::flat_hash_map<std::string, FrameId> task_frames_;   // by name
  absl::flat_hash_map<ThreadIndex, ThreadIndex> tasks_of_;  // by thread
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_SAMPLER_TASK_SAMPLER_H_
