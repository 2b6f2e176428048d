#include "python/task_walker.h"

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "unit/process/fake_memory.h"
#include "unit/python/fake_target.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

// A task that is suspended in two coroutines, laid out by hand, and a second one that awaits it.
class TaskWalkerTest : public testing::TestWithParam<const char*> {
 protected:
  TaskWalkerTest() {
    inner_ = NewCoroutine("inner", NewObject("_asyncio.FutureIter"), 4);
    outer_ = NewCoroutine("outer", inner_, 7);
    task_ = NewTask(objects().Str("fetch").address(), outer_);
    for (const auto& [address, bytes] : memory_.regions()) addresses_.push_back(address);
  }

  FakeObjects& objects() { return target_.objects(); }
  void Put(uint64_t address, uint64_t value) { memory_.Write(address, value); }

  static AsyncioLayout Layout(const DebugOffsets& offsets) {
    if (offsets.minor() == 13) return AsyncioLayout::Of313(offsets);
    AsyncioLayout layout;
    layout.task_awaited_by = 96;
    layout.task_is_task = 108;
    layout.task_awaited_by_is_set = 109;
    layout.task_coro = 152;
    layout.task_name = 160;
    layout.task_node = 176;
    layout.thread_tasks_head = 416;
    return layout;
  }
  uint64_t StateField() const {
    return offsets_.minor() == 13 ? offsets_.pyobject.size + 51
                                  : offsets_.gen_object.gi_frame_state;
  }
  uint64_t FrameField() const {
    return offsets_.minor() == 13 ? offsets_.pyobject.size + 56 : offsets_.gen_object.gi_iframe;
  }
  int8_t YieldFrom() const { return offsets_.minor() < 15 ? -1 : 2; }
  int8_t Executing() const { return offsets_.minor() < 15 ? 0 : 4; }
  int8_t Created() const { return offsets_.minor() < 15 ? -3 : 0; }

  uint64_t NewObject(const std::string& type_name, size_t size = 64) {
    const uint64_t type = objects().Allocate(offsets_.type_object.size);
    const uint64_t name = objects().Allocate(64);
    memory_.WriteBytes(name, type_name.c_str(), type_name.size() + 1);
    Put(type + offsets_.type_object.tp_name, name);
    const uint64_t object = objects().Allocate(size);
    objects().SetType(object, type);
    return object;
  }
  uint64_t NewCoroutine(const std::string& function, uint64_t awaited, uint64_t unit) {
    const FakeCode* code = target_.NewCode(function);
    const auto& f = offsets_.interpreter_frame;
    const uint64_t coroutine = NewObject("coroutine", FrameField() + f.size + 64);
    memory_.Write<int8_t>(coroutine + StateField(), YieldFrom());
    const uint64_t frame = coroutine + FrameField();
    Put(frame + f.executable, code->address | (offsets_.minor() >= 14 ? 1 : 0));
    Put(frame + f.instr_ptr, code->copies[0] + 2 * unit);
    memory_.Write<uint8_t>(frame + f.owner, 1);
    Put(frame + f.localsplus + 8, awaited);
    if (f.stacktop != DebugOffsets::kAbsent) {
      memory_.Write<int32_t>(frame + f.stacktop, 2);
    } else {
      Put(frame + f.stackpointer, frame + f.localsplus + 16);
    }
    return coroutine;
  }
  uint64_t NewTask(uint64_t name, uint64_t coroutine) {
    const uint64_t task = NewObject("_asyncio.Task", 256);
    Put(task + layout_.task_coro, coroutine);
    Put(task + layout_.task_name, name);
    if (layout_.task_is_task != DebugOffsets::kAbsent) {
      memory_.Write<uint8_t>(task + layout_.task_is_task, 1);
    }
    return task;
  }

  // "name: innermost:line, ..., outermost:line", or why not.
  static std::string Describe(const absl::StatusOr<const WalkedTask*>& walked) {
    if (!walked.ok()) return std::string(walked.status().message());
    if (!(*walked)->waits) return "does not wait";
    std::string text = (*walked)->name;
    for (const StackFrame& frame : (*walked)->frames) {
      text += " " + frame.code->function + ":" + std::to_string(frame.line);
    }
    return text;
  }

  FakeMemory memory_;
  const DebugOffsets offsets_ = TargetOffsets(GetParam());
  const AsyncioLayout layout_ = Layout(offsets_);
  FakeTarget target_{memory_, offsets_};
  uint64_t inner_ = 0, outer_ = 0, task_ = 0;
  std::vector<uint64_t> addresses_;
};
INSTANTIATE_TEST_SUITE_P(Releases, TaskWalkerTest,
                         testing::Values("3.13.5t", "3.13.15", "3.14.8", "3.15.0"));

TEST_P(TaskWalkerTest, ReadsTheChain) {
  TaskWalker walker(memory_, offsets_, layout_);
  EXPECT_EQ(Describe(walker.Walk(task_)), "fetch inner:104 outer:107");
  const size_t before = memory_.calls;
  EXPECT_EQ(Describe(walker.Walk(task_)), "fetch inner:104 outer:107");
  EXPECT_EQ(memory_.calls, before + 1) << "nothing has changed: one call tells";
}

TEST_P(TaskWalkerTest, SeesWhatChanges) {
  TaskWalker walker(memory_, offsets_, layout_);
  ASSERT_EQ(Describe(walker.Walk(task_)), "fetch inner:104 outer:107");
  walker.Forget();
  Put(task_ + layout_.task_name, objects().Int({42}).address());
  EXPECT_EQ(Describe(walker.Walk(task_)), "Task-42 inner:104 outer:107");
  memory_.Write<int8_t>(inner_ + StateField(), Created());
  EXPECT_EQ(Describe(walker.Walk(task_)), "Task-42 inner:104 outer:107");
  memory_.Write<int8_t>(inner_ + StateField(), Executing());
  EXPECT_EQ(Describe(walker.Walk(task_)), "does not wait");
  Put(task_ + layout_.task_coro, 0);
  EXPECT_EQ(Describe(walker.Walk(task_)), "does not wait");
  walker.Forget();
}

TEST_P(TaskWalkerTest, ACodeObjectsAddressChangesHands) {
  TaskWalker walker(memory_, offsets_, layout_);
  ASSERT_EQ(Describe(walker.Walk(task_)), "fetch inner:104 outer:107");
  const uint64_t frame = inner_ + FrameField();
  const auto executable = target_.Get(frame + offsets_.interpreter_frame.executable) & ~uint64_t{1};
  target_.NewCode("other", 500, 20, 20, executable);
  EXPECT_EQ(Describe(walker.Walk(task_)), "fetch other:504 outer:107");
  walker.Forget();
  EXPECT_EQ(Describe(walker.Walk(task_)), "fetch other:504 outer:107");
}

// The task moves between two reads of one walk: what belongs to different moments is not put
// together.
TEST_P(TaskWalkerTest, NeverMixesMoments) {
  const uint64_t other = NewCoroutine("second", NewObject("_asyncio.FutureIter"), 4);
  const uint64_t slot = outer_ + FrameField() + offsets_.interpreter_frame.localsplus + 8;
  for (size_t moves_at = 1; moves_at < 40; ++moves_at) {
    TaskWalker walker(memory_, offsets_, layout_);
    Put(slot, inner_);
    memory_.Write<int8_t>(inner_ + StateField(), YieldFrom());
    size_t reads = 0;
    memory_.before_call = [&] {
      if (++reads != moves_at) return;
      memory_.Write<int8_t>(inner_ + StateField(), Executing());
      Put(slot, other);
    };
    const std::string seen = Describe(walker.Walk(task_));
    EXPECT_THAT(seen, testing::AnyOf("fetch inner:104 outer:107", "fetch second:104 outer:107"))
        << moves_at;
    memory_.before_call = nullptr;
  }
}

TEST_P(TaskWalkerTest, FindsWhoAwaitsIt) {
  const uint64_t parent =
      NewTask(objects().Str("parent").address(), NewCoroutine("calls", task_, 1));
  TaskWalker walker(memory_, offsets_, layout_);
  if (offsets_.minor() == 13) {
    Put(parent + layout_.task_fut_waiter, task_);
    EXPECT_EQ((*walker.Walk(parent))->awaits, task_);
    return;
  }
  const uint64_t gathering = NewTask(0, 0);
  memory_.Write<uint8_t>(gathering + layout_.task_is_task, 0);
  Put(task_ + layout_.task_awaited_by, gathering);
  Put(gathering + layout_.task_awaited_by, parent);
  EXPECT_EQ((*walker.Walk(task_))->awaiter, parent);
  memory_.Write<uint8_t>(gathering + layout_.task_awaited_by_is_set, 1);
  EXPECT_EQ((*walker.Walk(task_))->awaiter, 0u) << "several";
  memory_.Write<uint8_t>(gathering + layout_.task_awaited_by_is_set, 0);
  Put(gathering + layout_.task_awaited_by, gathering);
  EXPECT_EQ((*walker.Walk(task_))->awaiter, 0u) << "a loop";
}

TEST_P(TaskWalkerTest, AChainThatBitesItsTailEnds) {
  Put(inner_ + FrameField() + offsets_.interpreter_frame.localsplus + 8, outer_);
  TaskWalker walker(memory_, offsets_, layout_);
  EXPECT_EQ(Describe(walker.Walk(task_)), "a chain of coroutines has no end");
}

TEST_P(TaskWalkerTest, SaysThatTheProcessIsGone) {
  TaskWalker walker(memory_, offsets_, layout_);
  memory_.gone = true;
  EXPECT_TRUE(absl::IsNotFound(walker.Walk(task_).status()));
}

// Whatever the memory holds, a walk ends; the sanitizers look on in their builds.
TEST_P(TaskWalkerTest, SurvivesCorruptMemory) {
  std::mt19937_64 random(7);
  const std::map<uint64_t, std::vector<uint8_t>> sound = memory_.regions();
  for (int round = 0; round < Repetitions(3000); ++round) {
    memory_.regions() = sound;
    TaskWalker walker(memory_, offsets_, layout_);
    for (int step = 0; step < 4; ++step) {
      auto& bytes = memory_.regions().at(addresses_[random() % addresses_.size()]);
      if (random() % 3 == 0 && bytes.size() >= 8) {
        const uint64_t address = addresses_[random() % addresses_.size()] + random() % 64;
        std::memcpy(&bytes[random() % (bytes.size() / 8) * 8], &address, sizeof address);
      } else {
        bytes[random() % bytes.size()] ^= static_cast<uint8_t>(1u << random() % 8);
      }
      const size_t calls = memory_.calls;
      const auto walked = walker.Walk(task_);
      if (walked.ok()) EXPECT_LE((*walked)->frames.size(), 256u);
      EXPECT_LE(memory_.calls - calls, 20'000u);
      if (step % 2 == 1) walker.Forget();
    }
  }
}

}  // namespace
}  // namespace fthreadprof
