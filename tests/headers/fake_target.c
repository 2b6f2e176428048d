// A process that has the memory of a free-threaded (or GIL) interpreter without being one: thread
// states, frames, code objects and names are CPython's own structs, filled as CPython fills them.
// It says "ready", then prints what a reader must see as one line of JSON, and for each line on its
// stdin makes the next change and prints again. fake_target_test.cc reads it from outside.
#define Py_BUILD_CORE 1
#include <stdio.h>

#include "fake_objects.h"
#include "fake_tasks.h"
#include "internal/pycore_debug_offsets.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_interpframe.h"
#include "internal/pycore_interpframe_structs.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_stackref.h"
#include "internal/pycore_tstate.h"

GENERATE_DEBUG_SECTION(PyRuntime, _PyRuntimeState _PyRuntime) = {
    .debug_offsets = _Py_DebugOffsets_INIT(_Py_Debug_Cookie)};
static PyInterpreterState* interpreter;

// What CPython's compiler made, and co_positions() says of it: tests/data/line_tables/3.14.txt.
typedef struct {
  const char* linetable;
  size_t size;
  Py_ssize_t units;
} Compiled;
static const Compiled kSmall = {"\x81\x00\xd8\x0b\x0c\x88\x71\x8d\x35\x80\x4c", 11, 11};
static const Compiled kLarge = {
    "\x80\x00\xd8\x0a\x0b\xdf\x0d\x1b\x8f\x5e\x8b\x5e\x97\x37\x93\x37\x8a\x5e\xa1\x41\x98\x58\x8a"
    "\x5e\xdc\x0d\x0e\x8f\x56\x95\x11\x99\x41\x8a\x56\x91\x11",
    37, 69};
// Lines after the first: kSmall has 2 units of 0, then 9 of 1; kLarge 0, 1, 41 units of 2, then 3.
enum {
  kSmallUnit = 5,
  kSmallLine = 1,
  kLargeUnit = 20,
  kLargeLine = 2,
  kLastUnit = 68,
  kLastLine = 3
};

typedef struct {
  PyCodeObject* object;
  const char* function;
  const char* file;
  int first_line;
} Code;

// A frame as pushed, with what is to be seen of it.
typedef struct {
  _PyInterpreterFrame* frame;
  const Code* code;  // null for an entry frame
  int line;
} Pushed;

enum { kMaxFrames = 16, kChunkSize = _PY_DATA_STACK_CHUNK_SIZE };

typedef struct {
  _PyThreadStateImpl* state;
  const char* name;  // null: threading does not know it
  Pushed frames[kMaxFrames];
  int depth;
} Thread;

static Thread threads[8];
static int thread_count;

static void FillCode(Code* code, PyCodeObject* object, const Compiled* compiled,
                     const char* function, const char* file, int first_line) {
  static uint32_t version;
  *code = (Code){object, function, file, first_line};
  object->ob_base.ob_base.ob_type = &PyCode_Type;
  object->ob_base.ob_size = compiled->units;
  object->co_firstlineno = first_line;
  object->co_framesize = FRAME_SPECIALS_SIZE + 7;
  object->co_version = ++version;
  object->co_filename = NewStr(file);
  object->co_name = NewStr(function);
  object->co_qualname = NewStr(function);
  object->co_linetable = NewBytes(compiled->linetable, compiled->size);
}

static Code NewCode(const Compiled* compiled, const char* function, const char* file,
                    int first_line) {
  Code code;
  PyCodeObject* object = Allocate(sizeof *object + (size_t)compiled->units * sizeof(_Py_CODEUNIT));
  FillCode(&code, object, compiled, function, file, first_line);
  return code;
}

static Thread* NewThread(uint64_t ident, uint64_t native_thread_id, const char* name) {
  Thread* thread = &threads[thread_count++];
  _PyThreadStateImpl* impl = Allocate(sizeof *impl);
  PyThreadState* state = &impl->base;
  *thread = (Thread){.state = impl, .name = name};
  state->interp = interpreter;
  state->thread_id = ident;
  state->native_thread_id = native_thread_id;
  state->next = interpreter->threads.head;
  if (state->next != NULL) state->next->prev = state;
  interpreter->threads.head = state;
  // As push_chunk in Python/pystate.c: the first chunk leaves its first word unused.
  _PyStackChunk* chunk = Allocate(kChunkSize);
  chunk->size = kChunkSize;
  state->datastack_chunk = chunk;
  state->datastack_top = &chunk->data[1];
  state->datastack_limit = (PyObject**)((char*)chunk + kChunkSize);
#if PY_VERSION_HEX >= 0x030f0000
  impl->base_frame.owner = FRAME_OWNED_BY_INTERPRETER;
  impl->base_frame.f_executable = PyStackRef_None;
  state->base_frame = &impl->base_frame;
  state->current_frame = state->base_frame;
#endif
  return thread;
}

static Pushed* Link(Thread* thread, _PyInterpreterFrame* frame, const Code* code, int line) {
  frame->previous = thread->state->base.current_frame;
  frame->stackpointer = frame->localsplus;
  thread->state->base.current_frame = frame;
  Pushed* pushed = &thread->frames[thread->depth++];
  *pushed = (Pushed){frame, code, line, 0};
  return pushed;
}

// C code enters the interpreter: the frame lies on the C stack; see _PyEval_EvalFrameDefault.
static void PushEntry(Thread* thread) {
  _PyInterpreterFrame* frame = Allocate(sizeof *frame);
  frame->owner = FRAME_OWNED_BY_INTERPRETER;
  frame->f_executable = PyStackRef_None;
  Link(thread, frame, NULL, 0);
}

// `tag` is 0 for a counted reference, Py_TAG_REFCNT for one that is borrowed or deferred.
static void SetExecutable(_PyInterpreterFrame* frame, const Code* code, uintptr_t tag) {
  frame->f_executable = (_PyStackRef){.bits = (uintptr_t)code->object | tag};
  frame->instr_ptr = (_Py_CODEUNIT*)code->object->co_code_adaptive;
}

static Pushed* PushCall(Thread* thread, const Code* code, uintptr_t tag, int unit, int line) {
  PyThreadState* state = &thread->state->base;
  _PyInterpreterFrame* frame = (_PyInterpreterFrame*)state->datastack_top;
  state->datastack_top += code->object->co_framesize;
  frame->owner = FRAME_OWNED_BY_THREAD;
  SetExecutable(frame, code, tag);
  frame->instr_ptr += unit;
  return Link(thread, frame, code, code->first_line + line);
}

static Pushed* PushGenerator(Thread* thread, const Code* code, int unit, int line) {
  PyGenObject* generator = Allocate(sizeof *generator + 64 * sizeof(PyObject*));
  generator->gi_frame_state = FRAME_EXECUTING;
  generator->gi_iframe.owner = FRAME_OWNED_BY_GENERATOR;
  SetExecutable(&generator->gi_iframe, code, Py_TAG_REFCNT);
  generator->gi_iframe.instr_ptr += unit;
  return Link(thread, &generator->gi_iframe, code, code->first_line + line);
}

#ifdef Py_GIL_DISABLED
// A code object's copies of its bytecode: those in `made`, a bit an index, above 0.
static void SetCopies(const Code* code, Py_ssize_t size, unsigned made) {
  const size_t bytes = (size_t)code->object->ob_base.ob_size * sizeof(_Py_CODEUNIT);
  _PyCodeArray* old = code->object->co_tlbc;
  _PyCodeArray* array = Allocate(sizeof *array + (size_t)size * sizeof(char*));
  array->size = size;
  array->entries[0] = code->object->co_code_adaptive;
  for (Py_ssize_t i = 1; i < size; ++i) {
    if (old != NULL && i < old->size && old->entries[i] != NULL) {
      array->entries[i] = old->entries[i];
    } else if ((made >> i & 1) != 0) {
      array->entries[i] = Allocate(bytes);
    }
  }
  code->object->co_tlbc = array;
  // Memory of the old array is used for something else by now.
  if (old != NULL) memset(old->entries, 0x5a, (size_t)old->size * sizeof(char*));
}

static void UseCopy(Pushed* pushed, int index, int unit, int line) {
  char* bytecode = pushed->code->object->co_tlbc->entries[index];
  pushed->frame->tlbc_index = index;
  pushed->frame->instr_ptr = (_Py_CODEUNIT*)bytecode + unit;
  pushed->line = pushed->code->first_line + line;
}
#endif

static PyObject* active;
static PyTypeObject* thread_class;

static void PublishNames(void) {
  Item items[8];
  size_t count = 0;
  for (int i = 0; i < thread_count; ++i) {
    if (threads[i].name == NULL) continue;
    PyObject* ident = NewInt(threads[i].state->base.thread_id);
    PyObject* attributes[] = {ident, NewStr(threads[i].name)};
    items[count++] = (Item){ident, NewInstance(thread_class, attributes, 2)};
  }
  ((PyDictObject*)active)->ma_keys = NewKeys(DICT_KEYS_GENERAL, items, count);
}

static void MakeInterpreter(void) {
  interpreter = Allocate(sizeof *interpreter);
  _PyRuntime.interpreters.head = interpreter;
  _PyRuntime.interpreters.main = interpreter;
  interpreter->ceval.gil = &interpreter->_gil;
  active = NewDict(NewKeys(DICT_KEYS_GENERAL, NULL, 0));
  const Item attributes[] = {{NewStr("_ident"), NULL}, {NewStr("_name"), NULL}};
  thread_class = NewClass("Thread", NewKeys(DICT_KEYS_SPLIT, attributes, 2));
  const Item globals[] = {{NewStr("_limbo"), NewStrDict(NULL, 0)}, {NewStr("_active"), active}};
  const Item modules[] = {{NewStr("sys"), NewModule(NewStrDict(NULL, 0))},
                          {NewStr("threading"), NewModule(NewStrDict(globals, 2))}};
  interpreter->imports.modules = NewStrDict(modules, 2);
}

static PyCoroObject* NewCoroutineOf(const Code* code, PyObject* awaited) {
  return NewCoroutine(code->object, (_Py_CODEUNIT*)code->object->co_code_adaptive + kLargeUnit,
                      awaited);
}

// "fetch" waits for a future in two coroutines; a task without a name awaits it through a future,
// as gather makes one; one runs, and one has ended.
static void MakeTasks(_PyThreadStateImpl* thread, const Code* waits, const Code* calls) {
  PyCoroObject* inner_coroutine = NewCoroutineOf(waits, NewFuture());
  FakeTask* fetch =
      NewTask(thread, NewStr("fetch ü"), NewCoroutineOf(calls, (PyObject*)inner_coroutine));
  PyObject* gathering = NewFuture();
  FakeTask* unnamed = NewTask(thread, NewInt(12345678901), NewCoroutineOf(calls, gathering));
  fetch->awaited_by = gathering;
  ((FakeTask*)gathering)->awaited_by = (PyObject*)unnamed;
  FakeTask* running = NewTask(thread, NewStr("runs"), NewCoroutineOf(calls, NULL));
  ((PyCoroObject*)running->coro)->cr_frame_state = FRAME_EXECUTING;
  NewTask(thread, NewStr("ended"), NULL);
}

static Code outer, inner, hot, gen;
static Thread *main_thread, *worker, *hidden;

static void Start(void) {
  MakeInterpreter();
  outer = NewCode(&kLarge, "outer", "/srv/app.py", 100);
  inner = NewCode(&kSmall, "Größe.中.<locals>.inner", "/srv/ünï.py", 7);
  hot = NewCode(&kLarge, "hot", "<frozen hot>", 1000);
  gen = NewCode(&kLarge, "gen", "/srv/gen.py", 1);

  main_thread = NewThread(0x7f1200001000, 4001, "MainThread");
  main_thread->state->base.state = _Py_THREAD_ATTACHED;
  PushEntry(main_thread);
  PushCall(main_thread, &outer, Py_TAG_REFCNT, kLargeUnit, kLargeLine);
  PushCall(main_thread, &inner, 0, kSmallUnit, kSmallLine);

  worker = NewThread(0x7f1200002000, 4002, "wörker-1");
  worker->state->base.state = _Py_THREAD_DETACHED;
  PushEntry(worker);
  PushCall(worker, &outer, 0, kLastUnit, kLastLine);
  PushGenerator(worker, &gen, kLargeUnit, kLargeLine);
  PushEntry(worker);  // a C function called back
  PushCall(worker, &hot, Py_TAG_REFCNT, kLargeUnit, kLargeLine);
#ifdef Py_GIL_DISABLED
  SetCopies(&hot, 3, 1u << 2);
  UseCopy(&worker->frames[worker->depth - 1], 2, kLastUnit, kLastLine);
#endif

  MakeTasks(worker->state, &outer, &gen);

  hidden = NewThread(0x7f1200003000, 4003, NULL);
  hidden->state->base.state = _Py_THREAD_SUSPENDED;
  PublishNames();
}

static Pushed* Top(Thread* thread) { return &thread->frames[thread->depth - 1]; }

// Each makes one change; the reader has seen what was before it.
static void TakeStep(int step) {
  Pushed* top = Top(worker);
  Pushed* leaf = Top(main_thread);
  switch (step) {
#ifdef Py_GIL_DISABLED
    case 1:  // the array grew, and the thread's index is past what a reader has cached
      SetCopies(&hot, 6, 1u << 5);
      UseCopy(top, 5, kLargeUnit, kLargeLine);
      return;
    case 2:  // a copy was made where there was none
      hot.object->co_tlbc->entries[3] = Allocate((size_t)kLarge.units * sizeof(_Py_CODEUNIT));
      UseCopy(top, 3, kLastUnit, kLastLine);
      return;
    case 3:  // another thread runs the main copy
      top->frame->tlbc_index = 0;
      top->frame->instr_ptr = (_Py_CODEUNIT*)hot.object->co_code_adaptive + kLargeUnit;
      top->line = hot.first_line + kLargeLine;
      return;
#endif
    case 4:  // a frame is popped, after it was seen to be the current one
      leaf->frame->f_executable = PyStackRef_NULL;
      return;
    case 5:  // what is left of a frame's memory is a tagged int
      leaf->frame->f_executable = (_PyStackRef){.bits = (uintptr_t)42 << 2 | Py_INT_TAG};
      return;
    case 6:  // the frame is pushed again
      SetExecutable(leaf->frame, &inner, Py_TAG_REFCNT);
      leaf->line = inner.first_line;
      return;
    case 7:  // the code object is freed; another takes its address
      FillCode(&inner, inner.object, &kSmall, "reused", "/srv/other.py", 300);
      leaf->frame->instr_ptr += kSmallUnit;
      leaf->line = inner.first_line + kSmallLine;
      return;
    case 8: {  // states, a name and a thread change
      main_thread->state->base.state = _Py_THREAD_SUSPENDED;
      worker->state->base.state = _Py_THREAD_ATTACHED;
      worker->name = "renamed";
      Thread* late = NewThread(0x7f1200004000, 4004, "late");
      PushEntry(late);
      PushCall(late, &outer, Py_TAG_REFCNT, 0, 0);
      PublishNames();
      return;
    }
    default:
      return;
  }
}
enum { kLastStep = 8 };

static void PrintExpectation(int step) {
  printf("{\"step\": %d, \"last\": %d, \"version\": %u, \"threads\": [", step, kLastStep,
         (unsigned)PY_VERSION_HEX);
  for (int i = 0; i < thread_count; ++i) {
    const Thread* thread = &threads[i];
    const PyThreadState* state = &thread->state->base;
    printf("%s{\"ident\": %lu, \"tid\": %lu, \"state\": %d, \"name\": \"%s\", \"frames\": [",
           i > 0 ? ", " : "", state->thread_id, state->native_thread_id, state->state,
           thread->name != NULL ? thread->name : "");
    const char* separator = "";
    for (int f = 0; f < thread->depth; ++f) {
      const Pushed* pushed = &thread->frames[f];
      if (pushed->code == NULL) continue;
      printf("%s{\"function\": \"%s\", \"file\": \"%s\", \"line\": %d}", separator,
             pushed->code->function, pushed->code->file, pushed->line);
      separator = ", ";
    }
    printf("]}");
  }
  printf("]}\n");
  fflush(stdout);
}

int main(void) {
  Start();
  printf("ready\n");
  PrintExpectation(0);
  char line[16];
  for (int step = 1; fgets(line, sizeof line, stdin) != NULL; ++step) {
    TakeStep(step);
    PrintExpectation(step);
  }
  return 0;
}
