// hooks: the functions of race_abi.h. They translate what CPython does into accesses and order for
// the Detector, and keep each thread's shadow stack.
//
// A hook works in four steps, cheapest first: the access cache says that the thread has been here
// in this epoch; else the place is found (the shadow stack, climbed lazily); else the variable's
// history is checked under its shard's lock; else a race is reported, with no lock held.

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "cpython_bridge.h"
#include "detector.h"
#include "fthreadprof/race_abi.h"
#include "fthreadprof/race_log.h"
#include "known_code.h"
#include "python_view.h"
#include "reporter.h"

namespace fthreadprof::race {
namespace {

using race_log::LockKind;
using race_log::ObjectKind;
using race_log::VariableKind;

Detector detector;
Reporter reporter(detector);

// Set once, before tracking begins.
const char* log_directory = nullptr;
PyObject* name_initializing = nullptr;
PyObject* name_name = nullptr;
PyObject* name_maxsize = nullptr;

// FTHREADPROF_RACE_DISABLE: edges that the tests switch off, to see that something relies on them.
enum Edge : uint32_t {
  kLockEdge = 1 << 0,
  kRLockEdge = 1 << 1,
  kConditionEdge = 1 << 2,
  kEventEdge = 1 << 3,
  kSemaphoreEdge = 1 << 4,
  kBarrierEdge = 1 << 5,
  kQueueEdge = 1 << 6,
  kSimpleQueueEdge = 1 << 7,
  kThreadStartEdge = 1 << 8,
  kThreadJoinEdge = 1 << 9,
  kThreadIsDoneEdge = 1 << 10,
  kFutureEdge = 1 << 11,
  kImportEdge = 1 << 12,
  kPublicationEdge = 1 << 13,
  kTaskDoneEdge = 1 << 14,
};
constexpr const char* kEdgeNames[] = {
    "lock",           "rlock",  "condition",   "event",        "semaphore",
    "barrier",        "queue",  "simplequeue", "thread_start", "thread_join",
    "thread_is_done", "future", "import",      "publication",  "task_done"};
uint32_t disabled_edges = 0;
inline bool IsOn(Edge edge) { return (disabled_edges & edge) == 0; }

// Of a thread that has ended, or cannot be tracked: its last hooks do nothing, for it is ever busy.
RaceThread no_thread(/*always_busy=*/1);
RaceThread* const kNoThread = &no_thread;
__attribute__((tls_model("initial-exec"))) thread_local RaceThread* self = nullptr;

// The test that the thread runs, known before anything is tracked.
__attribute__((tls_model("initial-exec"))) thread_local uint32_t own_test = 0;

void TakeThreadName(RaceThread& thread);

[[gnu::noinline]] RaceThread* AdoptSelf() {
  RaceThread* thread = detector.AdoptThread();
  self = thread == nullptr ? kNoThread : thread;
  if (thread != nullptr) {
    detector.registry.record(thread->id).native_id = static_cast<uint64_t>(syscall(SYS_gettid));
    detector.SetTest(*thread, own_test);
  }
  return thread;
}

// The calling thread's, unless the runtime itself is at work in it.
inline RaceThread* Current() {
  RaceThread* thread = self;
  if (thread == nullptr) [[unlikely]]
    return AdoptSelf();
  return thread->busy == 0 ? thread : nullptr;
}

class Busy {
 public:
  explicit Busy(RaceThread& thread) : thread_(thread) { ++thread_.busy; }
  ~Busy() { --thread_.busy; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  RaceThread& thread_;
};

// --- The shadow stack

// False without memory.
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

inline void PushFrame(RaceThread& thread, void* frame, uint32_t node) {
  if (thread.frame_count == thread.frame_capacity) [[unlikely]] {
    if (!GrowFrames(thread)) return;  // Rebuild() finds that it does not fit
  }
  thread.frames[thread.frame_count++] = {frame, node, 0};
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

// The innermost frame's place on the shadow stack, with its node; nullptr if there is no room for
// the stack.
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

// The function that the thread is in and its traits; nullptr outside of Python functions.
inline const ShadowFrame* CurrentFunction(RaceThread& thread, _PyInterpreterFrame* frame) {
  if (frame == nullptr) return nullptr;
  const ShadowFrame* function = nullptr;
  if (thread.frame_count != 0) [[likely]] {
    const ShadowFrame& top = thread.frames[thread.frame_count - 1];
    if (top.frame == frame && top.node != 0) function = &top;
  }
  if (function == nullptr) function = Climb(thread, frame);
  if (function != nullptr && !thread.name_taken) [[unlikely]]
    TakeThreadName(thread);
  return function;
}

// The instruction that the thread is at; kUnknownNode outside of Python functions.
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

// The interpreter works for itself in this very frame.
bool LooksAway(const RaceThread& thread, const _PyInterpreterFrame* frame) {
  const int depth = thread.look_away_depth;
  return depth > 0 && depth <= RaceThread::kMaxLookAway && thread.look_away[depth - 1] == frame;
}

// --- Accesses

// What an operation touches beside its variable.
enum class Scope : uint8_t {
  kVariable,   // nothing
  kElement,    // one element of a container: the order matters, and who looks at all elements
  kElements,   // the structure, and the value of every element
  kEverything  // the order, and with it the structure and every element
};

struct Target {
  PyObject* object;
  ObjectKind object_kind;
  uint64_t key;
  uint64_t spot;  // SpotOfHash or SpotOfKey
  uint8_t operation;
  AccessKind kind;
  Scope scope = Scope::kVariable;
  // What the report calls the variable.
  PyObject* name = nullptr;
  const char* member = nullptr;
  int64_t index = 0;
  bool has_index = false;
};

// A variable's part of its tag in the access cache, without HashKey's work. Those of hashes and of
// other keys are apart, for a key's hash may be any number.
inline uint64_t SpotOfHash(Py_hash_t hash) {
  return static_cast<uint64_t>(hash) * 0x9e3779b97f4a7c15ULL;
}
inline uint64_t SpotOfKey(uint64_t key) { return key * 0xc2b2ae3d27d4eb4fULL; }

// The variable's place in the access cache.
inline uint64_t PlaceOf(PyObject* object, uint16_t header, uint64_t spot) {
  const uint64_t which = uint64_t{header} >> kGenerationShift << 48;
  return (reinterpret_cast<uintptr_t>(object) ^ which) * 0xff51afd7ed558ccdULL + spot;
}

// What stands there once it was touched in the thread's present epoch, but for the kinds.
inline uint64_t TagOf(const RaceThread& thread, uint64_t place) {
  const uint64_t epoch = thread.epoch * 0xd6e8feb86659fd93ULL;
  return (place + epoch + thread.salt.load(std::memory_order_relaxed)) & ~kAccessKinds;
}

// Whether the thread has touched the variable in this epoch already: the fast path of every access.
inline bool IsRecorded(RaceThread& thread, PyObject* object, uint64_t spot, AccessKind kind) {
  const uint16_t header = LoadHeader(object);
  if ((header & kTracked) == 0) return false;
  const uint64_t place = PlaceOf(object, header, spot);
  const uint64_t difference = thread.cache.At(place).tag_and_kinds ^ TagOf(thread, place);
  const uint64_t covering = static_cast<uint64_t>(kind) | static_cast<uint64_t>(AccessKind::kWrite);
  return difference <= kAccessKinds && (difference & covering) != 0;
}

void AccessSlowly(RaceThread& thread, const Target& target);

void RememberInCache(RaceThread& thread, const Target& target) {
  thread.cache.Missed(detector.arena, thread.blocks);
  const uint64_t place = PlaceOf(target.object, LoadHeader(target.object), target.spot);
  const uint64_t tag = TagOf(thread, place);
  uint64_t& entry = thread.cache.At(place).tag_and_kinds;
  if ((entry ^ tag) > kAccessKinds) entry = tag;
  entry |= static_cast<uint64_t>(target.kind);
}

VariableKind VariableKindOf(uint64_t key) {
  switch (key) {
    case kStructureKey:
      return VariableKind::kStructure;
    case kOrderKey:
    case kValuesKey:
      return VariableKind::kOrder;
    default:
      return VariableKind::kElement;
  }
}

// A shadow of the object in the shard, made if need be; its header says so from then on.
Shadow* ShadowOf(RaceThread& thread, ShadowTable::Shard& shard, PyObject* object) {
  const auto address = reinterpret_cast<uintptr_t>(object);
  // A resurrected object has the bit, but no shadow any more.
  Shadow* shadow = (LoadHeader(object) & kTracked) != 0 ? shard.Find(address) : nullptr;
  if (shadow != nullptr) return shadow;
  shadow = shard.Make(detector.arena, thread.blocks, address);
  if (shadow == nullptr) return nullptr;
  const uint32_t number = ++thread.generation % 255 + 1;
  SetHeader(object, static_cast<uint16_t>(kTracked | number << kGenerationShift));
  return shadow;
}

struct Raced {
  bool found = false;
  Access earlier;
  Access later;
  VariableKind variable_kind;
};

// One operation's checks of one object's variables; the first race counts.
class Checks {
 public:
  Checks(RaceThread& thread, Shadow& shadow, const Detector::Request& request, Raced* raced)
      : thread_(thread), shadow_(shadow), request_(request), raced_(raced) {}

  void Variable(uint64_t key, AccessKind kind) {
    Detector::Request request = request_;
    request.kind = kind;
    Access earlier;
    bool races = false;
    shadow_.With(detector.arena, thread_.blocks, key, [&](race::Variable& variable) {
      races = detector.Check(thread_, variable, request, &earlier);
    });
    if (races) Found(earlier, request, VariableKindOf(key));
  }

  void Elements(AccessKind kind) {
    Detector::Request request = request_;
    request.kind = kind;
    Access earlier;
    if (detector.CheckElements(thread_, shadow_, request, &earlier)) {
      Found(earlier, request, VariableKind::kOrder);
    }
  }

 private:
  void Found(const Access& earlier, const Detector::Request& request, VariableKind variable_kind) {
    if (raced_->found) return;
    *raced_ = {true, earlier, Detector::MakeAccess(thread_, request), variable_kind};
  }

  RaceThread& thread_;
  Shadow& shadow_;
  const Detector::Request& request_;
  Raced* raced_;
};

void CheckTarget(RaceThread& thread, Shadow& shadow, const Target& target,
                 const Detector::Request& request, Raced* raced) {
  Checks checks(thread, shadow, request, raced);
  checks.Variable(target.key, target.kind);
  switch (target.scope) {
    case Scope::kVariable:
      return;
    case Scope::kElement:
      if (shadow.order_written) checks.Variable(kOrderKey, AccessKind::kRead);
      if (shadow.values_read && target.kind == AccessKind::kWrite) {
        checks.Variable(kValuesKey, AccessKind::kCommute);
      }
      // Who gets an element that came by append or update is after who put it there.
      if (request.carries && target.kind == AccessKind::kRead) {
        detector.LearnPublished(thread, shadow, kStructureKey);
      }
      return;
    case Scope::kElements:
      checks.Elements(AccessKind::kRead);
      checks.Variable(kValuesKey, AccessKind::kRead);
      if (shadow.order_written) checks.Variable(kOrderKey, AccessKind::kRead);
      shadow.values_read = true;
      return;
    case Scope::kEverything:
      checks.Variable(kStructureKey, AccessKind::kWrite);
      checks.Elements(AccessKind::kWrite);
      if (shadow.values_read) checks.Variable(kValuesKey, AccessKind::kWrite);
      shadow.order_written = true;
      return;
  }
}

void ReportRace(RaceThread& thread, const Target& target, PyObject* object, ObjectKind object_kind,
                const Raced& raced) {
  Busy busy(thread);
  RaceFinding finding = {};
  finding.object_kind = object_kind;
  finding.variable_kind = raced.variable_kind;
  finding.object = object;
  if (finding.variable_kind == VariableKind::kElement) {
    finding.key = target.name;
    finding.index = target.index;
    finding.has_index = target.has_index;
    finding.member = target.member;
  }
  finding.earlier = raced.earlier;
  finding.later = raced.later;
  reporter.Report(finding);
}

// An object's __dict__ has the object's variables.
PyObject* OwnerOf(PyObject* dict) {
  if ((LoadHeader(dict) & kTracked) == 0) return nullptr;
  ShadowTable::Shard& shard = detector.shadows.ShardOf(reinterpret_cast<uintptr_t>(dict));
  SpinLockHolder holder(shard.lock);
  const Shadow* shadow = shard.Find(reinterpret_cast<uintptr_t>(dict));
  return shadow == nullptr ? nullptr : reinterpret_cast<PyObject*>(shadow->owner);
}

// The import system makes a submodule an attribute of its package when it is initialised: who gets
// it from there is after its initialisation.
std::atomic<bool> modules_published{false};

void PublishModule(RaceThread& thread, const Target& target) {
  if (target.object_kind != ObjectKind::kDict || target.kind != AccessKind::kWrite ||
      !IsOn(kImportEdge)) {
    return;
  }
  SetHeader(target.object, kSynchronizes);
  detector.Release(thread, reinterpret_cast<uintptr_t>(target.object), SyncAspect::kImports);
  modules_published = true;
}

void LearnModule(RaceThread& thread, const Target& target) {
  if (target.object_kind != ObjectKind::kDict || target.kind != AccessKind::kRead ||
      (LoadHeader(target.object) & kSynchronizes) == 0) {
    return;
  }
  detector.Acquire(thread, reinterpret_cast<uintptr_t>(target.object), SyncAspect::kImports);
}

// The object's shadow in its locked shard; nullptr, and nothing locked, if it cannot have one.
// Where the object is another one's __dict__, that one's.
Shadow* LockShadow(RaceThread& thread, PyObject** object, ObjectKind* kind,
                   ShadowTable::Shard** shard) {
  for (;;) {
    *shard = &detector.shadows.ShardOf(reinterpret_cast<uintptr_t>(*object));
    (*shard)->lock.Acquire();
    Shadow* shadow = ShadowOf(thread, **shard, *object);
    const uintptr_t owner = shadow != nullptr && *kind == ObjectKind::kDict ? shadow->owner : 0;
    if (shadow != nullptr && owner == 0) return shadow;
    (*shard)->lock.Release();
    if (shadow == nullptr) return nullptr;
    *object = reinterpret_cast<PyObject*>(owner);
    *kind = ObjectKind::kInstance;
    if ((LoadHeader(*object) & kDying) != 0) return nullptr;
  }
}

[[gnu::noinline]] void AccessSlowly(RaceThread& thread, const Target& target) {
  PyObject* object = target.object;
  if ((LoadHeader(object) & kDying) != 0) return;
  _PyInterpreterFrame* const frame = CurrentFrame();
  if (frame == nullptr || LooksAway(thread, frame)) return;
  detector.TickIfRequested(thread);
  const ShadowFrame* const function = CurrentFunction(thread, frame);
  if (function == nullptr) return;
  const uint32_t node = function->node;
  if (function->traits != 0) [[unlikely]] {
    const Traits traits = Traits::Unpack(function->traits);
    if (traits.function == Known::kImport) PublishModule(thread, target);
    if (traits.primitive) return;
  }
  if (modules_published) LearnModule(thread, target);

  ObjectKind kind = target.object_kind;
  Raced raced;
  ShadowTable::Shard* shard;
  Shadow* shadow = LockShadow(thread, &object, &kind, &shard);
  if (shadow == nullptr) return;
  if (kind == ObjectKind::kModule || frame->f_globals == object) shadow->is_module = true;
  if (shadow->is_module) kind = ObjectKind::kModule;
  const bool container = kind == ObjectKind::kList || kind == ObjectKind::kDict;
  const uint32_t offset = OffsetIn(frame);
  const Detector::Request request = {
      .kind = target.kind,
      .operation = target.operation,
      .carries = container && IsOn(kPublicationEdge),
      .learns = !container || IsOn(kPublicationEdge),
      .lock_set = detector.lock_sets.Intern(detector.arena, thread.blocks, thread.held),
      .offset = static_cast<uint16_t>(offset < 0xffff ? offset : 0xffff),
      .node = node};
  CheckTarget(thread, *shadow, target, request, &raced);
  shard->lock.Release();
  RememberInCache(thread, target);
  if (raced.found) [[unlikely]]
    ReportRace(thread, target, object, kind, raced);
}

// --- What primitives promise

bool HasName(PyObject* name, const char* text) { return EqualsAscii(name, text); }

// The argument `n` of Semaphore.release(self, n=1).
long PermitsReleased(const _PyInterpreterFrame* frame) {
  PyObject* n = LocalOf(frame, 1);
  if (n == nullptr || !PyLong_CheckExact(n) ||
      !_PyLong_IsCompact(reinterpret_cast<PyLongObject*>(n))) {
    return 1;
  }
  const Py_ssize_t value = _PyLong_CompactValue(reinterpret_cast<PyLongObject*>(n));
  return value < 1 ? 1 : value > 1024 ? 1024 : static_cast<long>(value);
}

// A small integer in the object's own values; 0 if it is none.
long IntegerAttribute(RaceThread& thread, PyObject* object, PyObject* name) {
  Busy busy(thread);
  PyObject* value = ftp_inline_attribute(object, name);
  if (value == nullptr) return 0;
  long integer = 0;
  if (PyLong_CheckExact(value) && _PyLong_IsCompact(reinterpret_cast<PyLongObject*>(value))) {
    integer = static_cast<long>(_PyLong_CompactValue(reinterpret_cast<PyLongObject*>(value)));
  }
  Py_DECREF(value);
  return integer;
}

void ChangePermits(RaceThread& thread, const _PyInterpreterFrame* frame, Known function,
                   PyObject* semaphore, PyObject* name) {
  const auto address = reinterpret_cast<uintptr_t>(semaphore);
  if (!IsOn(kSemaphoreEdge)) return;
  SetHeader(semaphore, kSynchronizes);
  if (function == Known::kSemaphoreRelease) {
    for (long n = PermitsReleased(frame); n > 0; --n) {
      detector.Put(thread, address, SyncAspect::kPermits, 0, 1 << 20);
    }
  } else if (function == Known::kSemaphoreAcquire) {
    // Permits that were there from the beginning are taken first; nobody gave them.
    const long given = detector.ItemsIn(thread, address, SyncAspect::kPermits);
    if (IntegerAttribute(thread, semaphore, name) > given) return;
    detector.Take(thread, address, SyncAspect::kPermits, 0, /*any=*/true);
  }
}

// An attribute of a primitive that is its promise: writing it releases, reading it acquires. True
// if this is one.
bool SynchronizeByAttribute(RaceThread& thread, PyObject* object, PyObject* name, bool write) {
  const auto address = reinterpret_cast<uintptr_t>(object);
  if (name == name_initializing) {
    if (!IsOn(kImportEdge)) return true;
    if (write) {
      SetHeader(object, kSynchronizes);
      detector.Release(thread, address);
    } else {
      detector.Acquire(thread, address);
    }
    return true;
  }
  _PyInterpreterFrame* const frame = CurrentFrame();
  if (frame == nullptr) return false;
  const ShadowFrame* function = CurrentFunction(thread, frame);
  if (function == nullptr) return false;
  const Traits traits = Traits::Unpack(function->traits);
  if (!traits.primitive) return false;
  SyncAspect aspect = SyncAspect::kMain;
  switch (traits.region) {
    case Region::kEvent:
      if (!HasName(name, "_flag") || !IsOn(kEventEdge)) return true;
      break;
    case Region::kFuture:
      if (!HasName(name, "_state") || !IsOn(kFutureEdge)) return true;
      break;
    case Region::kQueue:
      if (!HasName(name, "unfinished_tasks") || !IsOn(kTaskDoneEdge)) return true;
      if (traits.function != (write ? Known::kQueueTaskDone : Known::kQueueJoin)) return true;
      aspect = SyncAspect::kTasks;
      break;
    case Region::kSemaphore:
      if (write && HasName(name, "_value")) {
        ChangePermits(thread, frame, traits.function, object, name);
      }
      return true;
    default:
      return true;
  }
  if (write) {
    SetHeader(object, kSynchronizes);
    detector.Release(thread, address, aspect);
  } else {
    detector.Acquire(thread, address, aspect);
  }
  return true;
}

// queue.Queue itself, not a subclass: what order its items have is known.
bool IsPlainQueue(const _PyInterpreterFrame* frame) {
  for (int i = 0; i < 8 && frame != nullptr; ++i, frame = CallerOf(frame)) {
    Py_ssize_t size;
    const char* function = AsciiData(CodeOf(frame)->co_qualname, &size);
    if (function == nullptr || strncmp(function, "Queue.", 6) != 0) continue;
    PyObject* queue = LocalOf(frame, 0);
    return queue != nullptr && strcmp(Py_TYPE(queue)->tp_name, "Queue") == 0;
  }
  return false;
}

// Whether a lock that is taken or given back here orders threads, by what the primitive promises.
bool LockOrders(bool rlock, const ShadowFrame* where) {
  const Edge edge = rlock ? kRLockEdge : kLockEdge;
  if (where == nullptr) return IsOn(edge);
  const Traits traits = Traits::Unpack(where->traits);
  const bool waiter = !rlock && (traits.function == Known::kConditionWait ||
                                 traits.function == Known::kConditionNotify);
  switch (traits.region) {
    case Region::kNone:
      return IsOn(edge) && (traits.function != Known::kImport || IsOn(kImportEdge));
    case Region::kCondition:
      return IsOn(kConditionEdge);
    case Region::kBarrier:
      return IsOn(kBarrierEdge);
    case Region::kEvent:
      return waiter && IsOn(kEventEdge);
    case Region::kFuture:
      return waiter && IsOn(kFutureEdge);
    case Region::kQueue:
      return IsOn(kQueueEdge) && !IsPlainQueue(CurrentFrame());
    case Region::kSemaphore:
    case Region::kExecutor:
    case Region::kThread:
      return false;
  }
  return true;
}

void LockAcquired(PyObject* lock, PyObject* result, bool rlock) {
  // acquire() returns a bool, _acquire_restore() None.
  if (result != Py_True && result != Py_None) return;
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  _PyInterpreterFrame* const frame = CurrentFrame();
  const ShadowFrame* const where = CurrentFunction(*thread, frame);
  if (!LockOrders(rlock, where)) return;
  detector.TickIfRequested(*thread);
  detector.Acquire(*thread, reinterpret_cast<uintptr_t>(lock));
  // Locks that are handed over: another thread gives them back.
  if (where != nullptr) {
    const Known function = Traits::Unpack(where->traits).function;
    if (function == Known::kConditionWait || function == Known::kImport) return;
  }
  if (!rlock) thread->held.Pop(reinterpret_cast<uintptr_t>(lock));
  thread->held.Push({reinterpret_cast<uintptr_t>(lock), LocationIn(*thread, where, frame),
                     static_cast<uint32_t>(rlock ? LockKind::kRLock : LockKind::kLock)});
}

void LockReleased(PyObject* lock, bool rlock) {
  RaceThread* thread = Current();
  if (thread == nullptr || !LockOrders(rlock, CurrentFunction(*thread, CurrentFrame()))) return;
  SetHeader(lock, kSynchronizes);
  detector.Release(*thread, reinterpret_cast<uintptr_t>(lock));
  thread->held.Pop(reinterpret_cast<uintptr_t>(lock));
}

// --- Start and end

void PrepareFork() {
  reporter.AcquireLocks();
  detector.AcquireAllLocks();
}
void ParentAfterFork() {
  detector.ReleaseAllLocks();
  reporter.ReleaseLocks();
}
void ChildAfterFork() {
  ParentAfterFork();
  RaceThread* thread = self;
  if (ftp_race_tracking == 0 || thread == nullptr || thread == kNoThread) return;
  detector.AfterForkInChild(*thread);
  if (!reporter.ReopenInChild()) ftp_race_tracking = 0;
}

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

__attribute__((constructor)) void ReadEnvironment() {
  const char* directory = getenv("FTHREADPROF_RACE_LOG");
  if (directory != nullptr && *directory != '\0') log_directory = strdup(directory);
  ReadDisabledEdges();
}

// A quarter of the machine, at least 1 GiB.
uint64_t MemoryLimit() {
  const auto pages = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES));
  const uint64_t quarter = pages / 4 * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return quarter < uint64_t{1} << 30 ? uint64_t{1} << 30 : quarter;
}

// In the thread that starts the second one. False: this process is not tracked.
[[gnu::noinline]] bool BeginTracking() {
  static std::atomic<bool> begun{false};
  if (log_directory == nullptr || begun.exchange(true)) return ftp_race_tracking != 0;
  name_initializing = PyUnicode_InternFromString("_initializing");
  name_name = PyUnicode_InternFromString("_name");
  detector.arena.set_limit(MemoryLimit());
  name_maxsize = PyUnicode_InternFromString("maxsize");
  if (name_initializing == nullptr || name_name == nullptr || name_maxsize == nullptr ||
      !detector.Init(ContextTraits) || !reporter.Open(log_directory)) {
    PyErr_Clear();
    return false;
  }
  pthread_atfork(PrepareFork, ParentAfterFork, ChildAfterFork);
  RaceThread* thread = AdoptSelf();
  if (thread == nullptr) return false;
  if (getpid() == static_cast<pid_t>(syscall(SYS_gettid))) {
    strcpy(detector.registry.record(thread->id).name, "MainThread");
  }
  __atomic_store_n(&ftp_race_tracking, 1, __ATOMIC_RELEASE);
  return true;
}

// --- Containers

inline Py_ssize_t ListSize(PyObject* list) { return Py_SIZE(list); }

// Operations that look at every element, in one step or not.
bool ReadsValues(uint32_t operation) {
  switch (static_cast<RaceOperation>(operation)) {
    case RaceOperation::kListContains:
    case RaceOperation::kListIndex:
    case RaceOperation::kListCount:
    case RaceOperation::kListSlice:
    case RaceOperation::kListConcat:
    case RaceOperation::kListRepeat:
    case RaceOperation::kListCompare:
    case RaceOperation::kListRepr:
    case RaceOperation::kListCopy:
    case RaceOperation::kDictCopy:
    case RaceOperation::kDictCompare:
    case RaceOperation::kDictRepr:
    case RaceOperation::kDictMergeSource:
      return true;
    default:
      return false;
  }
}

// The slow paths are functions of their own, so that the fast ones need no stack frame.
[[gnu::noinline]] void ContainerSlowly(RaceThread& thread, PyObject* container,
                                       ObjectKind object_kind, AccessKind kind, uint32_t operation,
                                       bool values) {
  AccessSlowly(thread, {.object = container,
                        .object_kind = object_kind,
                        .key = kStructureKey,
                        .spot = SpotOfKey(kStructureKey),
                        .operation = static_cast<uint8_t>(operation),
                        .kind = kind,
                        .scope = values ? Scope::kElements : Scope::kVariable});
}

inline void ContainerTouch(PyObject* container, ObjectKind object_kind, AccessKind kind,
                           uint32_t operation, bool values) {
  RaceThread* thread = Current();
  if (thread == nullptr || IsRecorded(*thread, container, SpotOfKey(kStructureKey), kind)) return;
  ContainerSlowly(*thread, container, object_kind, kind, operation, values);
}

// Whether nothing but the operation itself has a reference to the list: a display or comprehension
// that is being built. Nobody else can come by it but from this thread, afterwards.
inline bool IsUnshared(PyObject* list) {
  return __atomic_load_n(&list->ob_ref_local, __ATOMIC_RELAXED) == 1 &&
         __atomic_load_n(&list->ob_ref_shared, __ATOMIC_RELAXED) == 0 &&
         __atomic_load_n(&list->ob_tid, __ATOMIC_RELAXED) == _Py_ThreadId();
}

[[gnu::noinline]] void ListSlowly(RaceThread& thread, PyObject* list, AccessKind kind,
                                  uint32_t operation) {
  // Some functions take any sequence, or may have failed already.
  if (!PyList_Check(list) || IsUnshared(list)) return;
  ContainerSlowly(thread, list, ObjectKind::kList, kind, operation, ReadsValues(operation));
}

inline void ListTouch(PyObject* list, AccessKind kind, uint32_t operation) {
  if (list == nullptr) return;
  RaceThread* thread = Current();
  if (thread == nullptr || IsRecorded(*thread, list, SpotOfKey(kStructureKey), kind)) return;
  ListSlowly(*thread, list, kind, operation);
}

[[gnu::noinline]] void ListItemSlowly(RaceThread& thread, PyObject* list, Py_ssize_t index,
                                      AccessKind kind, uint32_t operation) {
  if (static_cast<size_t>(index) >= static_cast<size_t>(ListSize(list)) || IsUnshared(list)) return;
  const uint64_t key = IndexKey(static_cast<uint64_t>(index));
  AccessSlowly(thread, {.object = list,
                        .object_kind = ObjectKind::kList,
                        .key = key,
                        .spot = SpotOfKey(key),
                        .operation = static_cast<uint8_t>(operation),
                        .kind = kind,
                        .scope = Scope::kElement,
                        .index = index,
                        .has_index = true});
}

inline void ListItem(PyObject* list, Py_ssize_t index, AccessKind kind, uint32_t operation) {
  RaceThread* thread = Current();
  if (thread == nullptr ||
      IsRecorded(*thread, list, SpotOfKey(IndexKey(static_cast<uint64_t>(index))), kind)) {
    return;
  }
  ListItemSlowly(*thread, list, index, kind, operation);
}

// A write of everything that the container is.
void ContainerWrite(PyObject* container, ObjectKind object_kind, uint32_t operation) {
  RaceThread* thread = Current();
  constexpr AccessKind kind = AccessKind::kWrite;
  if (thread == nullptr || IsRecorded(*thread, container, SpotOfKey(kOrderKey), kind)) return;
  AccessSlowly(*thread, {.object = container,
                         .object_kind = object_kind,
                         .key = kOrderKey,
                         .spot = SpotOfKey(kOrderKey),
                         .operation = static_cast<uint8_t>(operation),
                         .kind = kind,
                         .scope = Scope::kEverything});
}

void ListReorder(PyObject* list, uint32_t operation) {
  ContainerWrite(list, ObjectKind::kList, operation);
}

// The object whose attribute the generic look-up in this frame is about, if the key is its name.
PyObject* AttributeOwner(const RaceThread& thread, PyObject* key) {
  const int depth = thread.attribute_depth;
  if (depth == 0 || depth > RaceThread::kMaxAttributes) return nullptr;
  const RaceThread::Attribute& attribute = thread.attributes[depth - 1];
  if (attribute.name != key || attribute.frame != CurrentFrame()) return nullptr;
  return static_cast<PyObject*>(attribute.object);
}

void Link(RaceThread& thread, PyObject* object, PyObject* dict);

[[gnu::noinline]] void DictKeySlowly(RaceThread& thread, PyObject* dict, PyObject* key,
                                     Py_hash_t hash, AccessKind kind, uint32_t operation) {
  Target target = {.object = dict,
                   .object_kind = ObjectKind::kDict,
                   .key = HashKey(hash),
                   .spot = SpotOfHash(hash),
                   .operation = static_cast<uint8_t>(operation),
                   .kind = kind,
                   .scope = Scope::kElement,
                   .name = key};
  if (thread.attribute_depth != 0) [[unlikely]] {
    if (PyObject* owner = AttributeOwner(thread, key)) {
      if (SynchronizeByAttribute(thread, owner, key, kind == AccessKind::kWrite)) return;
      Link(thread, owner, dict);
      target.operation =
          static_cast<uint8_t>(kind == AccessKind::kWrite ? RaceOperation::kAttributeStore
                                                          : RaceOperation::kAttributeLoad);
      if (IsRecorded(thread, dict, target.spot, kind)) return;
    }
  }
  AccessSlowly(thread, target);
}

inline void DictKey(PyObject* dict, PyObject* key, Py_hash_t hash, AccessKind kind,
                    uint32_t operation) {
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  if (hash == -2 && IsMinusOne(key)) [[unlikely]]
    hash = -1;
  if (thread->attribute_depth == 0 && IsRecorded(*thread, dict, SpotOfHash(hash), kind)) return;
  DictKeySlowly(*thread, dict, key, hash, kind, operation);
}

// The type's version, which no two contents of it and its bases share; 0: it has none now.
inline uint32_t VersionOf(PyTypeObject* type) {
  return __atomic_load_n(&type->tp_version_tag, __ATOMIC_RELAXED);
}

inline TypeCacheEntry& TypeEntry(TypeCacheEntry* cache, PyTypeObject* type, Py_hash_t hash) {
  const uint64_t mixed =
      (reinterpret_cast<uintptr_t>(type) ^ static_cast<uint64_t>(hash)) * 0x9e3779b97f4a7c15ULL;
  return cache[mixed >> 32 & (RaceThread::kTypeCache - 1)];
}

// Whether the type has a method of this name.
bool IsMethod(RaceThread& thread, PyTypeObject* type, PyObject* name, Py_hash_t hash) {
  const uint32_t version = VersionOf(type);
  TypeCacheEntry& entry = TypeEntry(thread.methods, type, hash);
  if (version != 0 && entry.version == version && entry.type == type && entry.hash == hash) {
    return entry.answer != 0;
  }
  Busy busy(thread);
  const bool is_method = ftp_type_has_method(type, name) != 0;
  entry = {type, hash, VersionOf(type) == version ? version : 0, is_method ? 1 : 0};
  return is_method;
}

[[gnu::noinline]] void AttributeSlowly(RaceThread& thread, PyObject* object, PyObject* name,
                                       Py_hash_t hash, AccessKind kind, uint32_t operation,
                                       ObjectKind object_kind) {
  if (object_kind == ObjectKind::kInstance) {
    const bool write = kind == AccessKind::kWrite;
    // A method is looked for in the object first; that nobody has put one there is no news.
    if (!write && IsMethod(thread, Py_TYPE(object), name, hash)) return;
    if (SynchronizeByAttribute(thread, object, name, write)) return;
  }
  AccessSlowly(thread, {.object = object,
                        .object_kind = object_kind,
                        .key = HashKey(hash),
                        .spot = SpotOfHash(hash),
                        .operation = static_cast<uint8_t>(operation),
                        .kind = kind,
                        .name = name});
}

inline void Attribute(PyObject* object, PyObject* name, AccessKind kind, uint32_t operation,
                      ObjectKind object_kind) {
  RaceThread* thread = Current();
  Py_hash_t hash;
  if (thread == nullptr || !HashWithoutPython(name, &hash)) return;
  if (IsRecorded(*thread, object, SpotOfHash(hash), kind)) return;
  AttributeSlowly(*thread, object, name, hash, kind, operation, object_kind);
}

// How many of the type's bases (itself first) are asked for the attribute.
int BasesAsked(RaceThread& thread, PyTypeObject* type, PyObject* name, Py_hash_t hash) {
  const uint32_t version = VersionOf(type);
  TypeCacheEntry& entry = TypeEntry(thread.definers, type, hash);
  if (version != 0 && entry.version == version && entry.type == type && entry.hash == hash) {
    return entry.answer;
  }
  Busy busy(thread);
  PyObject* bases = type->tp_mro;
  int asked = 0;
  while (asked < PyTuple_GET_SIZE(bases)) {
    auto* base = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(bases, asked));
    if ((PyType_GetFlags(base) & Py_TPFLAGS_HEAPTYPE) == 0) break;
    ++asked;
    if (ftp_type_defines(base, name)) break;
  }
  entry = {type, hash, VersionOf(type) == version ? version : 0, asked};
  return asked;
}

[[gnu::noinline]] void ClassReadSlowly(RaceThread& thread, PyTypeObject* type, PyObject* name,
                                       Py_hash_t hash, uint32_t operation) {
  if (type->tp_mro == nullptr) return;
  const int asked = BasesAsked(thread, type, name, hash);
  PyObject* bases = type->tp_mro;
  for (int i = 0; i < asked && i < PyTuple_GET_SIZE(bases); ++i) {
    auto* base = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(bases, i));
    if ((PyType_GetFlags(base) & Py_TPFLAGS_IMMUTABLETYPE) != 0) continue;
    Attribute(reinterpret_cast<PyObject*>(base), name, AccessKind::kRead, operation,
              ObjectKind::kClass);
  }
}

// The dict is the object's __dict__: its keys are the object's attributes.
void Link(RaceThread& thread, PyObject* object, PyObject* dict) {
  const auto object_address = reinterpret_cast<uintptr_t>(object);
  const auto dict_address = reinterpret_cast<uintptr_t>(dict);
  if ((LoadHeader(object) & kDying) != 0 || OwnerOf(dict) == object) return;
  {
    ShadowTable::Shard& shard = detector.shadows.ShardOf(object_address);
    SpinLockHolder holder(shard.lock);
    Shadow* shadow = ShadowOf(thread, shard, object);
    if (shadow == nullptr) return;
    shadow->dictionary = dict_address;
  }
  ShadowTable::Shard& shard = detector.shadows.ShardOf(dict_address);
  SpinLockHolder holder(shard.lock);
  if (Shadow* shadow = ShadowOf(thread, shard, dict)) shadow->owner = object_address;
}

// Takes the object's history away; returns what it was linked with.
Shadow* TakeShadow(uintptr_t address) {
  ShadowTable::Shard& shard = detector.shadows.ShardOf(address);
  SpinLockHolder holder(shard.lock);
  return shard.Remove(address);
}

void Unlink(uintptr_t address, uintptr_t other) {
  ShadowTable::Shard& shard = detector.shadows.ShardOf(other);
  SpinLockHolder holder(shard.lock);
  Shadow* shadow = shard.Find(other);
  if (shadow == nullptr) return;
  if (shadow->owner == address) shadow->owner = 0;
  if (shadow->dictionary == address) shadow->dictionary = 0;
}

// A finaliser runs after all that was done with the object, by whichever thread.
void LearnUsersOf(RaceThread& thread, PyObject* object) {
  const auto address = reinterpret_cast<uintptr_t>(object);
  ShadowTable::Shard& shard = detector.shadows.ShardOf(address);
  SpinLockHolder holder(shard.lock);
  if (Shadow* shadow = shard.Find(address)) detector.LearnUsers(thread, *shadow);
}

bool HasFinalizer(PyObject* object) {
  const PyTypeObject* type = Py_TYPE(object);
  return (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 &&
         (type->tp_finalize != nullptr || type->tp_del != nullptr);
}

[[gnu::noinline]] void ForgetObject(PyObject* object, uint16_t header) {
  RaceThread* thread = self;
  if (thread == nullptr) thread = AdoptSelf();
  if (thread == nullptr || thread == kNoThread) return;
  const auto address = reinterpret_cast<uintptr_t>(object);
  if ((header & kSynchronizes) != 0) {
    detector.sync.Remove(detector.arena, thread->blocks, address);
  }
  if ((header & kTracked) == 0) return;
  if (HasFinalizer(object)) LearnUsersOf(*thread, object);
  if (Shadow* shadow = TakeShadow(address)) {
    if (shadow->owner != 0) Unlink(address, shadow->owner);
    if (shadow->dictionary != 0) Unlink(address, shadow->dictionary);
    shadow->Clear(detector.arena, thread->blocks);
    detector.arena.Free(thread->blocks, shadow, sizeof(Shadow));
  }
}

}  // namespace
}  // namespace fthreadprof::race

// --- The hooks. race_abi.h says what each means.

using fthreadprof::RaceOperation;
using namespace fthreadprof::race;

#define FTP_HOOK extern "C" __attribute__((visibility("default"))) void

extern "C" {
__attribute__((visibility("default"))) int32_t ftp_race_tracking = 0;
}

// Comparing the elements may run Python code: an element that is likely to be typical has a class
// with an __eq__ of its own.
static uint32_t RemoveOperation(PyObject* list, uint32_t operation) {
  if (operation != static_cast<uint32_t>(RaceOperation::kListRemove)) return operation;
  const Py_ssize_t size = ListSize(list) < 8 ? ListSize(list) : 8;
  for (Py_ssize_t i = 0; i < size; ++i) {
    const PyTypeObject* type = Py_TYPE(PyList_GET_ITEM(list, i));
    if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 &&
        type->tp_richcompare != PyBaseObject_Type.tp_richcompare) {
      return static_cast<uint32_t>(RaceOperation::kListRemovePython);
    }
  }
  return operation;
}

FTP_HOOK ftp_race_list_item_read(PyObject* list, int64_t index, uint32_t operation) {
  ListItem(list, index, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_list_item_write(PyObject* list, int64_t index, uint32_t operation) {
  ListItem(list, index, AccessKind::kWrite, operation);
}
FTP_HOOK ftp_race_list_read(PyObject* list, uint32_t operation) {
  if (list == nullptr || !PyList_Check(list)) return;
  operation = RemoveOperation(list, operation);
  ListTouch(list, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_list_write(PyObject* list, uint32_t operation) {
  ListTouch(list, AccessKind::kWrite, operation);
}
FTP_HOOK ftp_race_list_append(PyObject* list, uint32_t operation) {
  ListTouch(list, AccessKind::kWrite, operation);
}
FTP_HOOK ftp_race_list_reorder(PyObject* list, uint32_t operation) {
  ListReorder(list, RemoveOperation(list, operation));
}

FTP_HOOK ftp_race_list_pop(PyObject* list, int64_t index, uint32_t operation) {
  const Py_ssize_t size = ListSize(list);
  if (size == 0) return;
  if (index != -1 && index != size - 1) {
    ListReorder(list, operation);
    return;
  }
  ListTouch(list, AccessKind::kWrite, operation);
  ListItem(list, size - 1, AccessKind::kRead, operation);
}

FTP_HOOK ftp_race_list_iterate(PyObject* iterator, uint32_t operation) {
  // _PyListIterObject: PyObject_HEAD, it_index, it_seq (Include/internal/pycore_list.h)
  struct ListIterator {
    PyObject head;
    Py_ssize_t index;
    PyObject* list;
  };
  PyObject* list =
      __atomic_load_n(&reinterpret_cast<ListIterator*>(iterator)->list, __ATOMIC_RELAXED);
  if (list != nullptr) ListTouch(list, AccessKind::kRead, operation);
}

FTP_HOOK ftp_race_dict_key_read(PyObject* dict, PyObject* key, int64_t hash, uint32_t operation) {
  DictKey(dict, key, hash, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_dict_key_write(PyObject* dict, PyObject* key, int64_t hash, uint32_t operation) {
  DictKey(dict, key, hash, AccessKind::kWrite, operation);
}
FTP_HOOK ftp_race_dict_key_read_unhashed(PyObject* dict, PyObject* key, uint32_t operation) {
  Py_hash_t hash;
  if (HashWithoutPython(key, &hash)) DictKey(dict, key, hash, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_dict_key_write_unhashed(PyObject* dict, PyObject* key, uint32_t operation) {
  Py_hash_t hash;
  if (HashWithoutPython(key, &hash)) DictKey(dict, key, hash, AccessKind::kWrite, operation);
}
FTP_HOOK ftp_race_dict_read(PyObject* dict, uint32_t operation) {
  if (dict == nullptr || !PyDict_Check(dict)) return;
  ContainerTouch(dict, ObjectKind::kDict, AccessKind::kRead, operation, ReadsValues(operation));
}
FTP_HOOK ftp_race_dict_resize(PyObject* dict, uint32_t operation) {
  ContainerTouch(dict, ObjectKind::kDict, AccessKind::kCommute, operation, false);
}
FTP_HOOK ftp_race_dict_write(PyObject* dict, uint32_t operation) {
  ContainerWrite(dict, ObjectKind::kDict, operation);
}
// The key is known once it has been popped.
FTP_HOOK ftp_race_dict_popitem(PyObject* dict, PyObject* item, uint32_t operation) {
  if (item == nullptr || !PyTuple_CheckExact(item)) return;
  ContainerTouch(dict, ObjectKind::kDict, AccessKind::kCommute, operation, false);
  PyObject* key = PyTuple_GET_ITEM(item, 0);
  Py_hash_t hash;
  if (HashWithoutPython(key, &hash)) DictKey(dict, key, hash, AccessKind::kWrite, operation);
}
// Both dicts are locked: the source does not change meanwhile. What nobody has touched yet gets no
// key variables: a new dict is mostly its maker's alone.
FTP_HOOK ftp_race_dict_update(PyObject* dict, PyObject* source, uint32_t operation) {
  ContainerTouch(dict, ObjectKind::kDict, AccessKind::kCommute, operation, false);
  RaceThread* thread = Current();
  if (thread == nullptr || (LoadHeader(dict) & kTracked) == 0 || !PyDict_CheckExact(source)) return;
  Py_ssize_t position = 0;
  PyObject* key;
  PyObject* value;
  for (;;) {
    {
      Busy busy(*thread);
      if (!PyDict_Next(source, &position, &key, &value)) return;
    }
    Py_hash_t hash;
    if (HashWithoutPython(key, &hash)) DictKey(dict, key, hash, AccessKind::kWrite, operation);
  }
}
FTP_HOOK ftp_race_dict_iterate(PyObject* iterator, uint32_t operation) {
  // dictiterobject: PyObject_HEAD, di_dict (Objects/dictobject.c)
  struct DictIterator {
    PyObject head;
    PyObject* dict;
  };
  PyObject* dict =
      __atomic_load_n(&reinterpret_cast<DictIterator*>(iterator)->dict, __ATOMIC_RELAXED);
  if (dict == nullptr) return;
  const bool values =
      Py_IS_TYPE(iterator, &PyDictIterValue_Type) || Py_IS_TYPE(iterator, &PyDictIterItem_Type);
  ContainerTouch(dict, ObjectKind::kDict, AccessKind::kRead, operation, values);
}

FTP_HOOK ftp_race_attribute_read(PyObject* object, PyObject* name, uint32_t operation) {
  Attribute(object, name, AccessKind::kRead, operation, ObjectKind::kInstance);
}
FTP_HOOK ftp_race_attribute_write(PyObject* object, PyObject* name, uint32_t operation) {
  Attribute(object, name, AccessKind::kWrite, operation, ObjectKind::kInstance);
}

FTP_HOOK ftp_race_attribute_enter(PyObject* object, PyObject* name) {
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  const int depth = thread->attribute_depth++;
  if (depth >= RaceThread::kMaxAttributes) return;
  // A module's attributes are its globals, a type's are class attributes.
  const bool own = !PyModule_CheckExact(object) && !PyType_Check(object);
  thread->attributes[depth] = {own ? object : nullptr, own ? name : nullptr, CurrentFrame()};
}
FTP_HOOK ftp_race_attribute_leave() {
  RaceThread* thread = Current();
  if (thread != nullptr && thread->attribute_depth > 0) --thread->attribute_depth;
}
FTP_HOOK ftp_race_dict_of_object(PyObject* object, PyObject* dict) {
  if (dict == nullptr || PyModule_CheckExact(object) || PyType_Check(object)) return;
  RaceThread* thread = Current();
  if (thread != nullptr) Link(*thread, object, dict);
}

static void Slot(const char* object, PyMemberDef* member, AccessKind kind, uint32_t operation) {
  auto* owner = reinterpret_cast<PyObject*>(const_cast<char*>(object));
  if ((Py_TYPE(owner)->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0) return;
  if (member->type != Py_T_OBJECT_EX || (member->flags & Py_READONLY) != 0) return;
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  const auto hash = reinterpret_cast<intptr_t>(member);
  if (IsRecorded(*thread, owner, SpotOfHash(hash), kind)) return;
  AccessSlowly(*thread, {.object = owner,
                         .object_kind = ObjectKind::kInstance,
                         .key = HashKey(hash),
                         .spot = SpotOfHash(hash),
                         .operation = static_cast<uint8_t>(operation),
                         .kind = kind,
                         .member = member->name});
}
FTP_HOOK ftp_race_slot_read(const char* object, PyMemberDef* member, uint32_t operation) {
  Slot(object, member, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_slot_write(char* object, PyMemberDef* member, uint32_t operation) {
  Slot(object, member, AccessKind::kWrite, operation);
}

// A class attribute is read of every class on the way to the one that has it: who adds it to one of
// them changes what is found.
FTP_HOOK ftp_race_class_read(PyTypeObject* type, PyObject* name, uint32_t operation) {
  if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0) return;
  RaceThread* thread = Current();
  Py_hash_t hash;
  if (thread == nullptr || !HashWithoutPython(name, &hash)) return;
  if (IsRecorded(*thread, reinterpret_cast<PyObject*>(type), SpotOfHash(hash), AccessKind::kRead)) {
    return;
  }
  ClassReadSlowly(*thread, type, name, hash, operation);
}
FTP_HOOK ftp_race_class_write(PyTypeObject* type, PyObject* name, uint32_t operation) {
  if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0) return;
  Attribute(reinterpret_cast<PyObject*>(type), name, AccessKind::kWrite, operation,
            ObjectKind::kClass);
}

[[gnu::noinline]] static void GlobalSlowly(RaceThread& thread, PyObject* globals, PyObject* key,
                                           Py_hash_t hash, AccessKind kind, uint32_t operation) {
  AccessSlowly(thread, {.object = globals,
                        .object_kind = ObjectKind::kModule,
                        .key = HashKey(hash),
                        .spot = SpotOfHash(hash),
                        .operation = static_cast<uint8_t>(operation),
                        .kind = kind,
                        .name = key});
}
static inline void Global(PyObject* globals, PyObject* key, AccessKind kind, uint32_t operation) {
  RaceThread* thread = Current();
  Py_hash_t hash;
  if (thread == nullptr || !HashWithoutPython(key, &hash)) return;
  if (IsRecorded(*thread, globals, SpotOfHash(hash), kind)) return;
  GlobalSlowly(*thread, globals, key, hash, kind, operation);
}
FTP_HOOK ftp_race_global_read(PyObject* globals, PyObject* key, uint32_t operation) {
  Global(globals, key, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_global_write(PyObject* globals, PyObject* key, uint32_t operation) {
  Global(globals, key, AccessKind::kWrite, operation);
}

[[gnu::noinline]] static void CellSlowly(RaceThread& thread, PyObject* cell, AccessKind kind,
                                         uint32_t operation) {
  if (!PyCell_Check(cell)) return;
  AccessSlowly(thread, {.object = cell,
                        .object_kind = ObjectKind::kCell,
                        .key = kContentKey,
                        .spot = SpotOfKey(kContentKey),
                        .operation = static_cast<uint8_t>(operation),
                        .kind = kind});
}
static inline void Cell(PyObject* cell, AccessKind kind, uint32_t operation) {
  RaceThread* thread = Current();
  if (thread == nullptr || cell == nullptr) return;
  if (IsRecorded(*thread, cell, SpotOfKey(kContentKey), kind)) return;
  CellSlowly(*thread, cell, kind, operation);
}
FTP_HOOK ftp_race_cell_read(PyObject* cell, uint32_t operation) {
  Cell(cell, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_cell_write(PyObject* cell, uint32_t operation) {
  Cell(cell, AccessKind::kWrite, operation);
}

FTP_HOOK ftp_race_frame_push(PyThreadState* state) {
  RaceThread* thread = Current();
  if (thread == nullptr || thread->frame_count == 0) return;
  PushFrame(*thread, state->current_frame, 0);
}
FTP_HOOK ftp_race_frame_pop(PyThreadState* state) {
  RaceThread* thread = Current();
  if (thread == nullptr || thread->frame_count == 0) return;
  if (thread->frames[thread->frame_count - 1].frame == state->current_frame) --thread->frame_count;
}

FTP_HOOK ftp_race_lock_acquired(PyObject* lock, PyObject* result) {
  LockAcquired(lock, result, /*rlock=*/false);
}
FTP_HOOK ftp_race_lock_released(PyObject* lock) { LockReleased(lock, /*rlock=*/false); }
FTP_HOOK ftp_race_rlock_acquired(PyObject* lock, PyObject* result) {
  LockAcquired(lock, result, /*rlock=*/true);
}
FTP_HOOK ftp_race_rlock_released(PyObject* lock) { LockReleased(lock, /*rlock=*/true); }

FTP_HOOK ftp_race_thread_start(void* handle) {
  if (ftp_race_tracking == 0 && !BeginTracking()) return;
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  detector.StartThread(*thread, reinterpret_cast<uintptr_t>(handle), CurrentLocation(*thread));
}
FTP_HOOK ftp_race_thread_begin(void* handle) {
  RaceThread* thread =
      detector.BeginThread(reinterpret_cast<uintptr_t>(handle), IsOn(kThreadStartEdge));
  self = thread == nullptr ? kNoThread : thread;
  if (thread == nullptr) return;
  detector.registry.record(thread->id).native_id = static_cast<uint64_t>(syscall(SYS_gettid));
}
FTP_HOOK ftp_race_thread_end(void* handle) {
  RaceThread* thread = self;
  self = kNoThread;
  if (thread != nullptr && thread != kNoThread) {
    detector.EndThread(*thread, reinterpret_cast<uintptr_t>(handle));
  }
}
FTP_HOOK ftp_race_thread_join(void* handle, int32_t result) {
  RaceThread* thread = Current();
  if (thread == nullptr || result != 0 || !IsOn(kThreadJoinEdge)) return;
  detector.Acquire(*thread, reinterpret_cast<uintptr_t>(handle));
}
FTP_HOOK ftp_race_thread_is_done(void* handle, PyObject* result) {
  RaceThread* thread = Current();
  if (thread == nullptr || result != Py_True || !IsOn(kThreadIsDoneEdge)) return;
  detector.Acquire(*thread, reinterpret_cast<uintptr_t>(handle));
}

// A deque counts its items (it is a PyVarObject), a SimpleQueue does not tell.
static bool IsDeque(PyObject* channel) {
  return strcmp(Py_TYPE(channel)->tp_name, "collections.deque") == 0;
}
static bool ChannelIsOn(PyObject* channel) {
  return IsOn(IsDeque(channel) ? kQueueEdge : kSimpleQueueEdge);
}

// The maxsize of the queue.Queue whose _put or _get uses the deque in this frame; 0: unbounded.
static Py_ssize_t QueueBound(RaceThread& thread) {
  const ShadowFrame* where = CurrentFunction(thread, CurrentFrame());
  if (where == nullptr || Traits::Unpack(where->traits).region != Region::kQueue) return 0;
  PyObject* queue = LocalOf(CurrentFrame(), 0);
  if (queue == nullptr) return 0;
  return IntegerAttribute(thread, queue, name_maxsize);
}

FTP_HOOK ftp_race_channel_put(PyObject* channel, PyObject* item) {
  RaceThread* thread = Current();
  if (thread == nullptr || item == nullptr || !ChannelIsOn(channel)) return;
  const auto address = reinterpret_cast<uintptr_t>(channel);
  if (IsDeque(channel)) {
    // A put into a bounded queue is after the get that made room for it; rooms that were there from
    // the beginning are taken first.
    const Py_ssize_t bound = QueueBound(*thread);
    if (bound > 0 &&
        bound - Py_SIZE(channel) <= detector.ItemsIn(*thread, address, SyncAspect::kPermits)) {
      detector.Take(*thread, address, SyncAspect::kPermits, 0, /*any=*/true);
    }
  }
  const uint32_t limit =
      IsDeque(channel) ? 64 + 2 * static_cast<uint32_t>(Py_SIZE(channel)) : 1u << 30;
  SetHeader(channel, kSynchronizes);
  detector.Put(*thread, reinterpret_cast<uintptr_t>(channel), SyncAspect::kMain,
               reinterpret_cast<uintptr_t>(item), limit);
}
FTP_HOOK ftp_race_channel_get(PyObject* channel, PyObject* item) {
  RaceThread* thread = Current();
  if (thread == nullptr || item == nullptr || !ChannelIsOn(channel)) return;
  const auto address = reinterpret_cast<uintptr_t>(channel);
  detector.Take(*thread, address, SyncAspect::kMain, reinterpret_cast<uintptr_t>(item),
                /*any=*/false);
  if (IsDeque(channel) && QueueBound(*thread) > 0) {
    detector.Put(*thread, address, SyncAspect::kPermits, 0, 1 << 20);
  }
}

FTP_HOOK ftp_race_look_away_enter() {
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  const int depth = thread->look_away_depth++;
  if (depth < RaceThread::kMaxLookAway) thread->look_away[depth] = CurrentFrame();
}
FTP_HOOK ftp_race_look_away_leave() {
  RaceThread* thread = Current();
  if (thread != nullptr && thread->look_away_depth > 0) --thread->look_away_depth;
}

FTP_HOOK ftp_race_dealloc(PyObject* object) {
  const uint16_t header = LoadHeader(object);
  __atomic_store_n(HeaderBits(object), static_cast<uint16_t>(header | kDying), __ATOMIC_RELAXED);
  if ((header & (kTracked | kSynchronizes)) != 0) [[unlikely]]
    ForgetObject(object, header);
}
FTP_HOOK ftp_race_resurrected(PyObject* object, int32_t result) {
  if (result < 0) ClearHeader(object, kDying);
}

FTP_HOOK ftp_race_finalize(PyObject* object) {
  RaceThread* thread = Current();
  if (thread != nullptr && (LoadHeader(object) & kTracked) != 0 && HasFinalizer(object)) {
    LearnUsersOf(*thread, object);
  }
}

FTP_HOOK ftp_race_before_exit() {
  if (ftp_race_tracking != 0) reporter.WriteCounts(/*ends=*/true);
}

FTP_HOOK ftp_race_audit(PyObject* const* arguments, int64_t count) {
  if (count != 2 || log_directory == nullptr || !EqualsAscii(arguments[0], "fthreadprof.test")) {
    return;
  }
  own_test = PyUnicode_Check(arguments[1]) ? reporter.AddTest(arguments[1]) : 0;
  RaceThread* thread = ftp_race_tracking != 0 ? Current() : nullptr;
  if (thread != nullptr) detector.SetTest(*thread, own_test);
}

FTP_HOOK ftp_race_configure(void* config) {
#if PY_VERSION_HEX >= 0x030e0000
  // Specialised bytecode passes by the functions that are hooked. PYTHON_TLBC is not enough: python
  // -I and -E ignore it.
  static_cast<PyConfig*>(config)->tlbc_enabled = 0;
#else
  (void)config;  // 3.13's free-threaded build does not specialise
#endif
}
