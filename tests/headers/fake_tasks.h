// Asyncio tasks for fake_target.c: coroutines are CPython's own structs, a task is the TaskObj of
// Modules/_asynciomodule.c (3.14), which is in no header, with the table that leads to it.
#ifndef FTHREADPROF_TESTS_HEADERS_FAKE_TASKS_H_
#define FTHREADPROF_TESTS_HEADERS_FAKE_TASKS_H_

#include "fake_objects.h"
#include "internal/pycore_debug_offsets.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_interpframe.h"
#include "internal/pycore_interpframe_structs.h"
#include "internal/pycore_llist.h"
#include "internal/pycore_stackref.h"
#include "internal/pycore_tstate.h"

typedef struct {
  PyObject_HEAD PyObject* loop;
  PyObject* callbacks[9];
  PyObject* awaited_by;
  int state;
  char is_task;
  char awaited_by_is_set;
  PyObject* fut_waiter;
  PyObject* coro;
  PyObject* name;
  PyObject* context;
  struct llist_node node;
} FakeTask;

typedef struct {
  struct {
    uint64_t size, name, awaited_by, is_task, awaited_by_is_set, coro, node;
  } task;
  struct {
    uint64_t size, tasks_head;
  } interpreter;
  struct {
    uint64_t size, running_loop, running_task, tasks_head;
  } thread;
} FakeAsyncioOffsets;

GENERATE_DEBUG_SECTION(AsyncioDebug, FakeAsyncioOffsets fake_asyncio_offsets) = {
    .task = {.size = sizeof(FakeTask),
             .name = offsetof(FakeTask, name),
             .awaited_by = offsetof(FakeTask, awaited_by),
             .is_task = offsetof(FakeTask, is_task),
             .awaited_by_is_set = offsetof(FakeTask, awaited_by_is_set),
             .coro = offsetof(FakeTask, coro),
             .node = offsetof(FakeTask, node)},
    .interpreter = {.size = sizeof(PyInterpreterState),
                    .tasks_head = offsetof(PyInterpreterState, asyncio_tasks_head)},
    .thread = {.size = sizeof(_PyThreadStateImpl),
               .running_loop = offsetof(_PyThreadStateImpl, asyncio_running_loop),
               .running_task = offsetof(_PyThreadStateImpl, asyncio_running_task),
               .tasks_head = offsetof(_PyThreadStateImpl, asyncio_tasks_head)}};

FAKE_TYPE(PyCoro_Type, "coroutine", 0);
FAKE_TYPE(FakeFuture_Type, "_asyncio.Future", 0);
FAKE_TYPE(FakeTask_Type, "_asyncio.Task", 0);

enum { kFakeLocals = 3 };

// A coroutine that is suspended at `instruction` of `code`, awaiting `awaited`.
static PyCoroObject* NewCoroutine(PyCodeObject* code, _Py_CODEUNIT* instruction,
                                  PyObject* awaited) {
  PyCoroObject* coroutine = Allocate(sizeof *coroutine + 64 * sizeof(PyObject*));
  coroutine->ob_base.ob_type = &PyCoro_Type;
  coroutine->cr_frame_state = FRAME_SUSPENDED_YIELD_FROM;
  _PyInterpreterFrame* frame = &coroutine->cr_iframe;
  frame->owner = FRAME_OWNED_BY_GENERATOR;
  frame->f_executable = (_PyStackRef){.bits = (uintptr_t)code | Py_TAG_REFCNT};
  frame->instr_ptr = instruction;
  _PyStackRef* stack = &frame->localsplus[kFakeLocals];
  *stack++ = (_PyStackRef){.bits = (uintptr_t)awaited | Py_TAG_REFCNT};
#if PY_VERSION_HEX >= 0x030f0000
  *stack++ = (_PyStackRef){.bits = (uintptr_t)5 << 2 | Py_INT_TAG};  // of a virtual iterator
#endif
  frame->stackpointer = stack;
  return coroutine;
}

// At the end of the thread's tasks; `name` is a str or the number of a task without a name.
static FakeTask* NewTask(_PyThreadStateImpl* thread, PyObject* name, PyCoroObject* coroutine) {
  FakeTask* task = Allocate(sizeof *task);
  task->ob_base.ob_type = &FakeTask_Type;
  task->is_task = 1;
  task->name = name;
  task->coro = (PyObject*)coroutine;
  if (thread->asyncio_tasks_head.next == NULL) llist_init(&thread->asyncio_tasks_head);
  llist_insert_tail(&thread->asyncio_tasks_head, &task->node);
  return task;
}

static PyObject* NewFuture(void) {
  FakeTask* future = Allocate(sizeof *future);
  future->ob_base.ob_type = &FakeFuture_Type;
  return (PyObject*)future;
}

#endif  // FTHREADPROF_TESTS_HEADERS_FAKE_TASKS_H_
