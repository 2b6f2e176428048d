#include "python/asyncio_layout.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/status/status.h"

namespace fthreadprof {
namespace {

// A TaskObj is under 300 bytes; a _PyThreadStateImpl has the allocator's heaps in it.
constexpr uint64_t kMaxTaskSize = 4096;
constexpr uint64_t kMaxThreadSize = uint64_t{1} << 20;

}  // namespace

absl::StatusOr<AsyncioLayout> AsyncioLayout::Parse(std::span<const uint8_t> bytes,
                                                   const DebugOffsets& offsets) {
  std::array<uint64_t, kTableSize / sizeof(uint64_t)> words;
  if (bytes.size() < sizeof words) {
    return absl::InvalidArgumentError("the table of asyncio's offsets is cut short");
  }
  std::memcpy(words.data(), bytes.data(), sizeof words);
  // {size, task_name, task_awaited_by, task_is_task, task_awaited_by_is_set, task_coro, task_node},
  // {size, interpreter's tasks_head}, {size, running_loop, running_task, tasks_head}.
  const uint64_t task_size = words[0];
  const uint64_t thread_size = words[9];
  bool fits = task_size <= kMaxTaskSize && thread_size <= kMaxThreadSize;
  const auto check = [&](uint64_t offset, uint64_t width, uint64_t head, uint64_t size) {
    fits =
        fits && offset >= head && offset <= size && width <= size - offset && offset % width == 0;
  };
  const uint64_t head = offsets.pyobject.size;
  for (const size_t pointer : {1, 2, 5}) check(words[pointer], 8, head, task_size);
  for (const size_t flag : {3, 4}) check(words[flag], 1, head, task_size);
  check(words[6], 8, head, task_size - std::min<uint64_t>(8, task_size));
  check(words[12], 8, 0, thread_size - std::min<uint64_t>(8, thread_size));
  if (!fits) {
    return absl::InvalidArgumentError("the table of asyncio's offsets contradicts itself");
  }
  AsyncioLayout layout;
  layout.task_name = words[1];
  layout.task_awaited_by = words[2];
  layout.task_is_task = words[3];
  layout.task_awaited_by_is_set = words[4];
  layout.task_coro = words[5];
  layout.task_node = words[6];
  layout.thread_tasks_head = words[12];
  return layout;
}

AsyncioLayout AsyncioLayout::Of313(const DebugOffsets& offsets) {
  // FutureObj_HEAD: ten pointers, the first the loop, a state and bits of 4 bytes each; then
  // {int num_cancels_requested, fut_waiter, coro, name}.
  const uint64_t head = offsets.pyobject.size;
  AsyncioLayout layout;
  layout.task_loop = head;
  layout.task_fut_waiter = head + 96;
  layout.task_coro = head + 104;
  layout.task_name = head + 112;
  return layout;
}

}  // namespace fthreadprof
