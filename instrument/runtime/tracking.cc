#include "tracking.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "delays.h"

namespace fthreadprof::race {

Detector detector;
Reporter reporter(detector);
PyObject* name_name = nullptr;

namespace {
constexpr const char* kEdgeNames[] = {
    "lock",       "rlock",        "condition",    "event",       "semaphore",      "barrier",
    "queue",      "simplequeue",  "thread_start", "thread_join", "thread_is_done", "future",
    "import",     "publication",  "task_done",    "asyncio",     "pipe",           "socket",
    "file",       "signal",       "fork",         "finaliser",   "weakref",        "adoption",
    "annotation", "done_callback", "extension_lock"};
RaceThread no_thread(/*always_busy=*/1);
}  // namespace

uint32_t disabled_edges = 0;
RaceThread* const kNoThread = &no_thread;
thread_local RaceThread* self = nullptr;
thread_local uint32_t own_test = 0;

void ReadDisabledEdges() {
  const char* names = getenv("FTHREADPROF_RACE_DISABLE");
  while (names != nullptr && *names != '\0') {
    const size_t length = strcspn(names, ",");
    for (uint32_t i = 0; i < sizeof kEdgeNames / sizeof *kEdgeNames; ++i) {
      if (strlen(kEdgeNames[i]) == length && strncmp(kEdgeNames[i], names, length) == 0) {
        disabled_edges |= 1u << i;
      }
    }
    names += length;
    if (*names == ',') ++names;
  }
}

[[gnu::noinline]] RaceThread* AdoptSelf() {
  RaceThread* thread = detector.AdoptThread(IsOn(kAdoptionEdge));
  self = thread == nullptr ? kNoThread : thread;
  if (thread != nullptr) {
    detector.registry.record(thread->id).native_id = static_cast<uint64_t>(syscall(SYS_gettid));
    detector.SetTest(*thread, own_test);
    thread->perturbation.Begin(IdentityOfAdopted(*thread), /*started=*/false);
  }
  return thread;
}

// --- The shadow stack

[[gnu::noinline]] bool GrowFrames(RaceThread& thread) {
  const uint32_t capacity = thread.frame_capacity == 0 ? 256 : 2 * thread.frame_capacity;
  auto* frames = static_cast<ShadowFrame*>(
      detector.arena.Allocate(thread.blocks, capacity * sizeof(ShadowFrame)));
  if (frames == nullptr) return false;
  if (thread.frames != nullptr) {
    memcpy(frames, thread.frames, thread.frame_count * sizeof(ShadowFrame));
    detector.arena.Free(thread.blocks, thread.frames, thread.frame_capacity * sizeof(ShadowFrame));
  }
  thread.frames = frames;
  thread.frame_capacity = capacity;
  return true;
}

// From the interpreter's own frames: when tracking begins, or a frame came or went unseen.
[[gnu::noinline]] void Rebuild(RaceThread& thread, _PyInterpreterFrame* innermost) {
  uint32_t depth = 0;
  for (_PyInterpreterFrame* frame = innermost; frame != nullptr; frame = CallerOf(frame)) ++depth;
  thread.frame_count = 0;
  PushFrame(thread, nullptr, kOutsideNode);
  for (uint32_t i = 0; i < depth; ++i) PushFrame(thread, nullptr, 0);
  if (thread.frame_count != depth + 1) {
    thread.frame_count = 0;
    return;
  }
  for (_PyInterpreterFrame* frame = innermost; frame != nullptr; frame = CallerOf(frame)) {
    thread.frames[depth--].frame = frame;
  }
}

[[gnu::noinline]] const ShadowFrame* Climb(RaceThread& thread, _PyInterpreterFrame* innermost) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (attempt == 1 || thread.frame_count == 0 ||
        thread.frames[thread.frame_count - 1].frame != innermost) {
      Rebuild(thread, innermost);
    }
    if (thread.frame_count == 0) return nullptr;
    uint32_t known = thread.frame_count - 1;
    while (thread.frames[known].node == 0) --known;
    bool in_order = true;
    for (uint32_t i = known; i + 1 < thread.frame_count && in_order; ++i) {
      auto* frame = static_cast<_PyInterpreterFrame*>(thread.frames[i + 1].frame);
      in_order = thread.frames[i].frame == CallerOf(frame);
    }
    if (!in_order) continue;
    for (; known + 1 < thread.frame_count; ++known) {
      auto* caller = static_cast<_PyInterpreterFrame*>(thread.frames[known].frame);
      auto* frame = static_cast<_PyInterpreterFrame*>(thread.frames[known + 1].frame);
      const CallingContexts::Interned interned = detector.contexts.Intern(
          detector.arena, thread.blocks, thread.contexts, thread.frames[known].node,
          caller == nullptr ? 0 : OffsetIn(caller), CodeOf(frame));
      if (interned.node == kUnknownNode) return nullptr;
      thread.frames[known + 1].node = interned.node;
      thread.frames[known + 1].traits = interned.traits;
    }
    return &thread.frames[known];
  }
  return nullptr;
}

uint32_t LocationIn(RaceThread& thread, const ShadowFrame* function, _PyInterpreterFrame* frame) {
  if (function == nullptr) return kUnknownNode;
  return detector.contexts
      .Intern(detector.arena, thread.blocks, thread.contexts, function->node, OffsetIn(frame),
              nullptr)
      .node;
}

uint32_t CurrentLocation(RaceThread& thread) {
  _PyInterpreterFrame* frame = CurrentFrame();
  return LocationIn(thread, CurrentFunction(thread, frame), frame);
}

uint32_t ContextTraits(void* code, uint32_t parent_traits) {
  // For good: a context names it.
  Py_INCREF(static_cast<PyObject*>(code));
  return TraitsOf(static_cast<PyCodeObject*>(code), Traits::Unpack(parent_traits)).Pack();
}

// threading.Thread runs a thread by Thread._bootstrap(self), its outermost frame.
void TakeThreadName(RaceThread& thread) {
  thread.name_taken = true;
  ThreadRecord& record = detector.registry.record(thread.id);
  if (record.name[0] != '\0') return;
  _PyInterpreterFrame* outermost = nullptr;
  for (_PyInterpreterFrame* frame = CurrentFrame(); frame != nullptr; frame = CallerOf(frame)) {
    outermost = frame;
  }
  if (outermost == nullptr || !EqualsAscii(CodeOf(outermost)->co_qualname, "Thread._bootstrap")) {
    return;
  }
  PyObject* object = LocalOf(outermost, 0);
  if (object == nullptr) return;
  Busy busy(thread);
  PyObject* name = ftp_inline_attribute(object, name_name);
  if (name == nullptr) return;
  if (PyUnicode_CheckExact(name)) {
    size_t size = 0;
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(name) && size + 1 < sizeof record.name; ++i) {
      const Py_UCS4 c = PyUnicode_READ_CHAR(name, i);
      record.name[size++] = c < 0x80 && c >= 0x20 ? static_cast<char>(c) : '?';
    }
    record.name[size] = '\0';
  }
  Py_DECREF(name);  // a str: no code runs
}

bool LooksAway(const RaceThread& thread, const _PyInterpreterFrame* frame) {
  const int depth = thread.look_away_depth;
  return depth > 0 && depth <= RaceThread::kMaxLookAway && thread.look_away[depth - 1] == frame;
}

}  // namespace fthreadprof::race
