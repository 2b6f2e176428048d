// known_code: the Python functions of the standard library whose meaning for order the runtime
// knows. What they promise orders threads; what their implementations lock does not.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_KNOWN_CODE_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_KNOWN_CODE_H_

#include <cstdint>

#include "python_view.h"

namespace fthreadprof::race {

// Of a context (ContextNode::traits): which primitive's implementation it is in, and, exactly,
// which function. Functions called by an implementation are in the same region, user code is in
// none.
enum class Region : uint8_t {
  kNone,
  kEvent,      // `_flag`: a set before the wait or is_set that sees it
  kSemaphore,  // permits: a release before the acquire that takes its permit
  kQueue,      // items: a put before the get of that item; tasks
  kFuture,     // `_state`: a result before whoever sees it
  kExecutor,   // work items: through its SimpleQueue
  kThread,     // the book-keeping of threads: orders nothing
  kBarrier,    // all arrivals before all departures, which its condition's lock gives
  kEventLoop,  // of asyncio: call_soon_threadsafe before the call
  kCondition,  // used by itself: its lock, and a notify before the wait that it wakes
};

enum class Known : uint8_t {
  kNone,
  kOther,  // of a primitive's file
  kConditionWait,
  kConditionNotify,
  kEventSet,
  kSemaphoreAcquire,
  kSemaphoreRelease,
  kQueueTaskDone,
  kQueueJoin,
  kFutureAddCallback,
  kFutureInvokeCallbacks,
  kImport,    // the import system
  kHarmless,  // no primitive: has races that do no harm (stdlib.suppressions)
};

struct Traits {
  // Of the library that implements primitives: its accesses to its own state are not tracked.
  bool primitive = false;
  Region region = Region::kNone;
  Known function = Known::kNone;

  uint32_t Pack() const {
    return (primitive ? 1u : 0u) | static_cast<uint32_t>(region) << 8 |
           static_cast<uint32_t>(function) << 16;
  }
  static Traits Unpack(uint32_t packed) {
    return {(packed & 1) != 0, static_cast<Region>(packed >> 8 & 0xff),
            static_cast<Known>(packed >> 16 & 0xff)};
  }
};

Traits TraitsOf(PyCodeObject* code, Traits parent);

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_KNOWN_CODE_H_
