#include "sampler/task_sampler.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace fthreadprof {
namespace {

using namespace std::chrono_literals;

// Tasks wait for long, compared with what threads do.
constexpr std::chrono::milliseconds kCountInterval = 10ms;
constexpr int kFirstTimes = 5;
// Programs give a name to each of many short-lived tasks: the others share one frame, so that
// memory has a bound.
constexpr size_t kMaxNames = 1000;
constexpr char kOtherTasks[] = "task (one of many)";
constexpr size_t kMaxTasksInStack = 64;

}  // namespace

bool TaskSampler::Continue(std::span<PythonThread* const> threads, uint64_t pass,
                           std::chrono::nanoseconds time) {
  const TaskReader::Clock::time_point now = TaskReader::Clock::now();
  pass_ = pass;
  if (!reader_.sweeping() && now - last_count_ < kCountInterval) return false;
  // Nothing is shown before the first look at all tasks is over.
  const bool done = reader_.Continue(threads, now + time * (has_counted_ ? 1 : kFirstTimes));
  if (done) {
    last_count_ = now;
  } else if (!reader_.sweeping()) {
    counted_pass_ = pass;  // there is no asyncio yet
  }
  return done;
}

void TaskSampler::Count(const std::function<std::optional<ThreadIndex>(uint64_t)>& thread_of,
                        uint64_t time_us, std::vector<LoggedSample>& samples) {
  const auto weight = static_cast<uint32_t>(std::max<uint64_t>(1, pass_ - counted_pass_));
  counted_pass_ = pass_;
  has_counted_ = true;
  const std::vector<WaitingTask>& tasks = reader_.tasks();
  std::vector<bool> shown(tasks.size());
  absl::flat_hash_map<uint64_t, std::optional<ThreadIndex>> threads;  // by ident
  const auto count = [&](size_t task) {
    const auto [thread, is_new] = threads.try_emplace(tasks[task].thread_ident, std::nullopt);
    if (is_new) thread->second = thread_of(tasks[task].thread_ident);
    if (!thread->second) return;
    const std::vector<size_t> chain = ChainOf(task);
    for (const size_t of_chain : chain) shown[of_chain] = true;
    samples.push_back({.thread = TasksOf(*thread->second),
                       .stack = Intern(chain),
                       .state = ThreadState::kAwaiting,
                       .time_us = time_us,
                       .weight = weight});
  };
  for (size_t task = 0; task < tasks.size(); ++task) {
    if (!tasks[task].is_awaiter) count(task);
  }
  for (size_t task = 0; task < tasks.size(); ++task) {
    if (!shown[task]) count(task);  // they await each other: a deadlock
  }
}

// The task, the one that awaits it, and so on.
std::vector<size_t> TaskSampler::ChainOf(size_t task) const {
  std::vector<size_t> chain = {task};
  while (chain.size() < kMaxTasksInStack) {
    const size_t awaiter = reader_.tasks()[chain.back()].awaiter;
    if (std::find(chain.begin(), chain.end(), awaiter) != chain.end()) break;
    chain.push_back(awaiter);
  }
  return chain;
}

StackId TaskSampler::Intern(const std::vector<size_t>& chain) {
  StackId stack = kEmptyStack;
  for (auto index = chain.rbegin(); index != chain.rend(); ++index) {
    const WalkedTask& task = *reader_.tasks()[*index].task;
    stack = profile_.InternStack(stack, TaskFrame(task.name));
    for (auto frame = task.frames.rbegin(); frame != task.frames.rend(); ++frame) {
      const auto [id, is_new] = frame->code->frame_ids.try_emplace(frame->line, 0);
      if (is_new) {
        id->second = profile_.InternFrame({frame->code->function, frame->code->file, frame->line});
      }
      stack = profile_.InternStack(stack, id->second);
    }
  }
  return stack;
}

FrameId TaskSampler::TaskFrame(const std::string& name) {
  if (const auto known = task_frames_.find(name); known != task_frames_.end()) return known->second;
  if (task_frames_.size() >= kMaxNames) return profile_.InternFrame({kOtherTasks, "asyncio", 0});
  return task_frames_[name] = profile_.InternFrame({absl::StrCat("task ", name), "asyncio", 0});
}

ThreadIndex TaskSampler::TasksOf(ThreadIndex thread) {
  const auto [tasks, is_new] = tasks_of_.try_emplace(thread, 0);
  if (is_new) {
    const ProfiledThread of = profile_.threads()[thread];
    tasks->second = profile_.AddThread(of.tid, "", of.process);
    profile_.thread(tasks->second).tasks = true;
    profile_.thread(tasks->second).interpreter = of.interpreter;
  }
  // The thread may get its name later.
  profile_.thread(tasks->second).name = absl::StrCat("tasks of ", profile_.threads()[thread].name);
  return tasks->second;
}

}  // namespace fthreadprof
