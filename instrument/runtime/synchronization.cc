#include "synchronization.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "accesses.h"
#include "delays.h"

namespace fthreadprof::race {

PyObject* name_initializing = nullptr;
PyObject* name_maxsize = nullptr;
std::atomic<PyTypeObject*> thread_type{nullptr};

namespace {

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

bool IsFalse(RaceThread& thread, PyObject* object, PyObject* name) {
  Busy busy(thread);
  PyObject* value = ftp_inline_attribute(object, name);
  Py_XDECREF(value);
  return value == Py_False;
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

}  // namespace

void LearnPromise(RaceThread& thread) {
  const uintptr_t promise = thread.promise;
  thread.promise = 0;
  // The function that has read it has the object still.
  if (thread.promise_name != nullptr && IsFalse(thread, reinterpret_cast<PyObject*>(promise),
                                                static_cast<PyObject*>(thread.promise_name))) {
    return;
  }
  detector.Acquire(thread, promise);
}

bool SynchronizeByAttribute(RaceThread& thread, PyObject* object, PyObject* name, bool write) {
  const auto address = reinterpret_cast<uintptr_t>(object);
  if (name == name_initializing) {
    if (!IsOn(kImportEdge)) return true;
    if (write) {
      SetHeader(object, kSynchronizes);
      detector.Release(thread, address);
    } else {
      detector.Acquire(thread, address);
      thread.promise = address;
      thread.promise_name = nullptr;
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
      if (write) {
        if (traits.function != Known::kEventSet) return true;
        break;
      }
      thread.promise = address;
      thread.promise_name = name;
      if (IsFalse(thread, object, name)) return true;
      break;
    case Region::kFuture:
      if (HasName(name, "_done_callbacks")) {
        if (!IsOn(kDoneCallbackEdge)) return true;
        write = traits.function == Known::kFutureAddCallback;
        if (!write && traits.function != Known::kFutureInvokeCallbacks) return true;
        aspect = SyncAspect::kCallbacks;
        break;
      }
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
    thread.perturbation.SetDue();
  } else {
    detector.Acquire(thread, address, aspect);
  }
  return true;
}

namespace {

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
    case Region::kEventLoop:
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
  // Locks that are handed over: another thread gives them back. Condition.wait() also takes the
  // condition's own lock again, which is an RLock if it does that by itself.
  if (where != nullptr) {
    const Known function = Traits::Unpack(where->traits).function;
    if ((function == Known::kConditionWait && !rlock) || function == Known::kImport) return;
  }
  if (!rlock) thread->held.Pop(reinterpret_cast<uintptr_t>(lock));
  thread->held.Push({reinterpret_cast<uintptr_t>(lock), LocationIn(*thread, where, frame),
                     static_cast<uint32_t>(rlock ? LockKind::kRLock : LockKind::kLock)});
  DelayInLock(*thread, frame);
}

void LockReleased(PyObject* lock, bool rlock) {
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  thread->perturbation.SetDue();
  if (!LockOrders(rlock, CurrentFunction(*thread, CurrentFrame()))) return;
  SetHeader(lock, kSynchronizes);
  detector.Release(*thread, reinterpret_cast<uintptr_t>(lock));
  thread->held.Pop(reinterpret_cast<uintptr_t>(lock));
}

// A deque counts its items (it is a PyVarObject), a SimpleQueue does not tell.
bool IsDeque(PyObject* channel) {
  const PyTypeObject* type = Py_TYPE(channel);
  while (type != nullptr && (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) == 0) type = type->tp_base;
  return type != nullptr && strcmp(type->tp_name, "collections.deque") == 0;
}
bool ChannelIsOn(RaceThread& thread, bool is_deque) {
  if (!is_deque) return IsOn(kSimpleQueueEdge);
  const ShadowFrame* where = CurrentFunction(thread, CurrentFrame());
  const bool loops = where != nullptr && Traits::Unpack(where->traits).region == Region::kEventLoop;
  return IsOn(loops ? kAsyncioEdge : kQueueEdge);
}

// The maxsize of the queue.Queue whose _put or _get uses the deque in this frame; 0: unbounded.
Py_ssize_t QueueBound(RaceThread& thread) {
  const ShadowFrame* where = CurrentFunction(thread, CurrentFrame());
  if (where == nullptr || Traits::Unpack(where->traits).region != Region::kQueue) return 0;
  PyObject* queue = LocalOf(CurrentFrame(), 0);
  if (queue == nullptr) return 0;
  return IntegerAttribute(thread, queue, name_maxsize);
}

// Where in the access cache it says that the deque is the thread's own and has its clock.
uint64_t OwnSpot(const RaceThread& thread) {
  constexpr uint64_t kOwn = 5;  // no key of a variable
  return SpotOfKey(kOwn + (uint64_t{thread.knowledge} << 8));
}
bool IsKnownOwn(RaceThread& thread, PyObject* channel) {
  return IsRecorded(thread, channel, OwnSpot(thread), AccessKind::kWrite);
}

// Whether this thread alone uses the deque. REQUIRES: the deque is locked.
bool IsOwnDeque(RaceThread& thread, PyObject* channel, bool takes) {
  const ShadowFrame* where = CurrentFunction(thread, CurrentFrame());
  if (where == nullptr || Traits::Unpack(where->traits).region != Region::kNone) return false;
  SetHeader(channel, kSynchronizes);
  if (!detector.UseOwn(thread, reinterpret_cast<uintptr_t>(channel), SyncAspect::kMain, takes)) {
    return false;
  }
  RememberRecorded(thread, channel, OwnSpot(thread), AccessKind::kWrite);
  return true;
}

}  // namespace
}  // namespace fthreadprof::race

using namespace fthreadprof::race;

FTP_HOOK ftp_race_lock_acquired(PyObject* lock, PyObject* result) {
  LockAcquired(lock, result, /*rlock=*/false);
}
FTP_HOOK ftp_race_lock_released(PyObject* lock) { LockReleased(lock, /*rlock=*/false); }
FTP_HOOK ftp_race_rlock_acquired(PyObject* lock, PyObject* result) {
  LockAcquired(lock, result, /*rlock=*/true);
}
FTP_HOOK ftp_race_rlock_released(PyObject* lock) { LockReleased(lock, /*rlock=*/true); }

static void FindThreadType(RaceThread& thread) {
  Busy busy(thread);
  PyObject* modules = PyImport_GetModuleDict();
  PyObject* threading = modules == nullptr ? nullptr : PyDict_GetItemString(modules, "threading");
  PyObject* type = threading == nullptr ? nullptr : PyObject_GetAttrString(threading, "Thread");
  if (type == nullptr) {
    PyErr_Clear();
  } else if (PyType_Check(type)) {
    thread_type.store(reinterpret_cast<PyTypeObject*>(type), std::memory_order_relaxed);  // kept
  } else {
    Py_DECREF(type);
  }
}

FTP_HOOK ftp_race_thread_start(void* handle) {
  if (ftp_race_tracking == 0 && !BeginTracking()) return;
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  if (thread_type.load(std::memory_order_relaxed) == nullptr) FindThreadType(*thread);
  detector.StartThread(*thread, reinterpret_cast<uintptr_t>(handle), CurrentLocation(*thread));
  thread->perturbation.SetDue();
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
    detector.Release(*thread, kEndedThreads);
    detector.EndThread(*thread, reinterpret_cast<uintptr_t>(handle));
  }
}
FTP_HOOK ftp_race_thread_join(void* handle, int32_t result) {
  RaceThread* thread = Current();
  if (thread == nullptr || result != 0 || !IsOn(kThreadJoinEdge)) return;
  detector.Acquire(*thread, reinterpret_cast<uintptr_t>(handle));
}
FTP_HOOK ftp_race_threads_ended() {
  RaceThread* thread = Current();
  if (thread == nullptr || !IsOn(kThreadJoinEdge)) return;
  detector.Acquire(*thread, kEndedThreads);
}
FTP_HOOK ftp_race_thread_is_done(void* handle, PyObject* result) {
  RaceThread* thread = Current();
  if (thread == nullptr || result != Py_True || !IsOn(kThreadIsDoneEdge)) return;
  detector.Acquire(*thread, reinterpret_cast<uintptr_t>(handle));
}

FTP_HOOK ftp_race_channel_put(PyObject* channel, PyObject* item) {
  RaceThread* thread = Current();
  if (thread == nullptr || item == nullptr || IsKnownOwn(*thread, channel)) return;
  const bool is_deque = IsDeque(channel);
  if (!ChannelIsOn(*thread, is_deque)) return;
  if (is_deque && IsOwnDeque(*thread, channel, /*takes=*/false)) return;
  const auto address = reinterpret_cast<uintptr_t>(channel);
  if (is_deque) {
    // A put into a bounded queue is after the get that made room for it; rooms that were there from
    // the beginning are taken first.
    const Py_ssize_t bound = QueueBound(*thread);
    if (bound > 0 &&
        bound - Py_SIZE(channel) <= detector.ItemsIn(*thread, address, SyncAspect::kPermits)) {
      detector.Take(*thread, address, SyncAspect::kPermits, 0, /*any=*/true);
    }
  }
  const uint32_t limit = is_deque ? 64 + 2 * static_cast<uint32_t>(Py_SIZE(channel)) : 1u << 30;
  SetHeader(channel, kSynchronizes);
  thread->perturbation.SetDue();
  detector.Put(*thread, reinterpret_cast<uintptr_t>(channel), SyncAspect::kMain,
               reinterpret_cast<uintptr_t>(item), limit);
}
FTP_HOOK ftp_race_channel_get(PyObject* channel, PyObject* item) {
  RaceThread* thread = Current();
  if (thread == nullptr || IsKnownOwn(*thread, channel)) return;
  const bool is_deque = IsDeque(channel);
  if (!ChannelIsOn(*thread, is_deque)) return;
  if (is_deque && IsOwnDeque(*thread, channel, /*takes=*/item != nullptr)) return;
  if (item == nullptr) return;
  const auto address = reinterpret_cast<uintptr_t>(channel);
  detector.Take(*thread, address, SyncAspect::kMain, reinterpret_cast<uintptr_t>(item),
                /*any=*/false);
  if (is_deque && QueueBound(*thread) > 0) {
    detector.Put(*thread, address, SyncAspect::kPermits, 0, 1 << 20);
  }
}

FTP_HOOK ftp_race_weakref_made(PyObject* weak) {
  RaceThread* thread = Current();
  if (thread == nullptr || weak == nullptr || !IsOn(kWeakrefEdge)) return;
  SetHeader(weak, kSynchronizes);
  detector.Release(*thread, reinterpret_cast<uintptr_t>(weak));
}
FTP_HOOK ftp_race_weakref_called(PyObject* weak) {
  RaceThread* thread = Current();
  if (thread == nullptr || !IsOn(kWeakrefEdge)) return;
  detector.TickIfRequested(*thread);
  detector.Acquire(*thread, reinterpret_cast<uintptr_t>(weak));
}
