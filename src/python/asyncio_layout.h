// AsyncioLayout says where asyncio's C tasks are, and where a task keeps what a profiler reads.
//
// Source: from 3.14 on the table in the section .AsyncioDebug of whatever has _asyncio in it,
// struct Py_AsyncioModuleDebugOffsets in Modules/_asynciomodule.c; for 3.13, which has none,
// TaskObj in that file and the WeakSet _asyncio._scheduled_tasks.
//
// Lifetime: a plain value, validated as DebugOffsets is. Thread safety: immutable.
#ifndef FTHREADPROF_PYTHON_ASYNCIO_LAYOUT_H_
#define FTHREADPROF_PYTHON_ASYNCIO_LAYOUT_H_

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "python/debug_offsets.h"

namespace fthreadprof {

// Byte offsets; a field that the version lacks is DebugOffsets::kAbsent.
struct AsyncioLayout {
  // Of a TaskObj.
  uint64_t task_name = 0;
  uint64_t task_coro = 0;
  // 3.14 and later: who awaits it, a Future or, with awaited_by_is_set, a set of them. Futures have
  // these fields at the same place.
  uint64_t task_awaited_by = DebugOffsets::kAbsent;
  uint64_t task_is_task = DebugOffsets::kAbsent;            // char: not just a future
  uint64_t task_awaited_by_is_set = DebugOffsets::kAbsent;  // char
  uint64_t task_node = DebugOffsets::kAbsent;  // its struct llist_node {next, prev}: pycore_llist.h
  // 3.13 only: what it awaits, and its event loop.
  uint64_t task_fut_waiter = DebugOffsets::kAbsent;
  uint64_t task_loop = DebugOffsets::kAbsent;

  // Of a _PyThreadStateImpl: the struct llist_node that its tasks hang on; 3.14 and later.
  uint64_t thread_tasks_head = DebugOffsets::kAbsent;

  static constexpr size_t kTableSize = 13 * sizeof(uint64_t);

  // Parses the table. Fails with kInvalidArgument when it contradicts itself; the message is one
  // plain sentence.
  static absl::StatusOr<AsyncioLayout> Parse(std::span<const uint8_t> bytes,
                                             const DebugOffsets& offsets);
  // REQUIRES: offsets.minor() is 13.
  static AsyncioLayout Of313(const DebugOffsets& offsets);
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_ASYNCIO_LAYOUT_H_
