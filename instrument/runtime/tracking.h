// tracking: what all hooks share: the detector, the calling thread, its shadow stack, and which
// sources of order are on.
//
// A hook works in four steps, cheapest first: the access cache says that the thread has been here
// in this epoch; else the place is found (the shadow stack, climbed lazily); else the variable's
// history is checked under its shard's lock; else a race is reported, with no lock held.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_TRACKING_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_TRACKING_H_

#include <cstdint>

#include "cpython_bridge.h"
#include "detector.h"
#include "fthreadprof/race_abi.h"
#include "fthreadprof/race_log.h"
#include "known_code.h"
#include "python_view.h"
#include "reporter.h"

// Seen by CPython and its extension modules; all else is the runtime's own.
#define FTP_HOOK extern "C" __attribute__((visibility("default"))) void
#define FTP_HIDDEN __attribute__((visibility("hidden")))

namespace fthreadprof::race {

using race_log::LockKind;
using race_log::ObjectKind;
using race_log::VariableKind;

FTP_HIDDEN extern Detector detector;
FTP_HIDDEN extern Reporter reporter;

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
  kAsyncioEdge = 1 << 15,
  kPipeEdge = 1 << 16,
  kSocketEdge = 1 << 17,
  kFileEdge = 1 << 18,
  kSignalEdge = 1 << 19,
  kForkEdge = 1 << 20,
  kFinaliserEdge = 1 << 21,
  kWeakrefEdge = 1 << 22,
  kAdoptionEdge = 1 << 23,
  kAnnotationEdge = 1 << 24,
  kDoneCallbackEdge = 1 << 25,
  kExtensionLockEdge = 1 << 26,
};
FTP_HIDDEN extern uint32_t disabled_edges;
inline bool IsOn(Edge edge) { return (disabled_edges & edge) == 0; }
// From the environment.
void ReadDisabledEdges();

// Of a thread that has ended, or cannot be tracked: its last hooks do nothing, for it is ever busy.
FTP_HIDDEN extern RaceThread* const kNoThread;
FTP_HIDDEN extern __attribute__((tls_model("initial-exec"))) thread_local RaceThread* self;
// The test that the thread runs, known before anything is tracked.
FTP_HIDDEN extern __attribute__((tls_model("initial-exec"))) thread_local uint32_t own_test;

// The calling thread's, made for it; nullptr when it cannot be tracked.
RaceThread* AdoptSelf();

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
bool GrowFrames(RaceThread& thread);

inline void PushFrame(RaceThread& thread, void* frame, uint32_t node) {
  if (thread.frame_count == thread.frame_capacity) [[unlikely]] {
    if (!GrowFrames(thread)) return;  // Rebuild() finds that it does not fit
  }
  thread.frames[thread.frame_count++] = {frame, node, 0};
}

// The innermost frame's place on the shadow stack, with its node; nullptr if there is no room for
// the stack.
const ShadowFrame* Climb(RaceThread& thread, _PyInterpreterFrame* innermost);
void TakeThreadName(RaceThread& thread);

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
uint32_t LocationIn(RaceThread& thread, const ShadowFrame* function, _PyInterpreterFrame* frame);
uint32_t CurrentLocation(RaceThread& thread);

// The traits of a context, for Detector::Init.
uint32_t ContextTraits(void* code, uint32_t parent_traits);
// The interpreter works for itself in this very frame.
bool LooksAway(const RaceThread& thread, const _PyInterpreterFrame* frame);
// "_name", interned.
FTP_HIDDEN extern PyObject* name_name;

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_TRACKING_H_
