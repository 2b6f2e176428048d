#include "known_code.h"

namespace fthreadprof::race {
namespace {

struct Text {
  const char* data;
  size_t size;

  bool EndsWith(const char* ending) const {
    const size_t length = strlen(ending);
    return size >= length && memcmp(data + size - length, ending, length) == 0;
  }
  bool StartsWith(const char* start) const {
    const size_t length = strlen(start);
    return size >= length && memcmp(data, start, length) == 0;
  }
  bool operator==(const char* text) const {
    return size == strlen(text) && memcmp(data, text, size) == 0;
  }
};

Text AsText(PyObject* object) {
  Py_ssize_t size = 0;
  const char* data = AsciiData(object, &size);
  return data == nullptr ? Text{"", 0} : Text{data, static_cast<size_t>(size)};
}

// Whether the file is `name` of the standard library: LIB/python3.X/name, or Lib/name where CPython
// was built. A user's own queue.py is none.
bool IsLibraryFile(const Text& file, const char* name) {
  if (!file.EndsWith(name)) return false;
  const Text directory = {file.data, file.size - strlen(name)};
  static constexpr char kVersioned[] =
      "/python" Py_STRINGIFY(PY_MAJOR_VERSION) "." Py_STRINGIFY(PY_MINOR_VERSION);
  static constexpr char kVersionedThreaded[] =
      "/python" Py_STRINGIFY(PY_MAJOR_VERSION) "." Py_STRINGIFY(PY_MINOR_VERSION) "t";
  return directory.EndsWith(kVersionedThreaded) || directory.EndsWith(kVersioned) ||
         directory.EndsWith("/Lib");
}

struct Entry {
  const char* function;  // qualified name; with a '.' at the end: all methods of the class
  Region region;
  Known known;
};

constexpr Entry kThreading[] = {
    {"Condition.wait", Region::kCondition, Known::kConditionWait},
    {"Condition.notify", Region::kCondition, Known::kConditionNotify},
    {"Condition.", Region::kCondition, Known::kOther},
    {"Barrier.", Region::kBarrier, Known::kOther},
    {"Event.set", Region::kEvent, Known::kEventSet},
    {"Event.", Region::kEvent, Known::kOther},
    {"Semaphore.acquire", Region::kSemaphore, Known::kSemaphoreAcquire},
    {"Semaphore.release", Region::kSemaphore, Known::kSemaphoreRelease},
    {"BoundedSemaphore.release", Region::kSemaphore, Known::kSemaphoreRelease},
    {"Thread.start", Region::kThread, Known::kOther},
    {"Thread._bootstrap_inner", Region::kThread, Known::kOther},
    {"Thread._delete", Region::kThread, Known::kOther},
    {"enumerate", Region::kThread, Known::kOther},
    {"active_count", Region::kThread, Known::kOther},
    {"_shutdown", Region::kThread, Known::kOther},
};
constexpr Entry kQueue[] = {
    {"Queue.task_done", Region::kQueue, Known::kQueueTaskDone},
    {"Queue.join", Region::kQueue, Known::kQueueJoin},
    {"Queue.", Region::kQueue, Known::kOther},
};
constexpr Entry kFutures[] = {
    {"Future.add_done_callback", Region::kFuture, Known::kFutureAddCallback},
    {"Future._invoke_callbacks", Region::kFuture, Known::kFutureInvokeCallbacks},
    {"Future.", Region::kFuture, Known::kOther},
};
constexpr Entry kExecutors[] = {
    {"ThreadPoolExecutor.", Region::kExecutor, Known::kOther},
    {"_WorkItem.", Region::kExecutor, Known::kOther},
    {"_worker", Region::kExecutor, Known::kOther},
};

// Scheduling puts handles into a deque, and the loop takes them out.
constexpr Entry kEventLoops[] = {
    {"BaseEventLoop.", Region::kEventLoop, Known::kOther},
    {"BaseSelectorEventLoop._write_to_self", Region::kEventLoop, Known::kOther},
    {"BaseSelectorEventLoop._read_from_self", Region::kEventLoop, Known::kOther},
    {"_UnixSelectorEventLoop.", Region::kEventLoop, Known::kOther},
    {"Handle.", Region::kEventLoop, Known::kOther},
    {"run_coroutine_threadsafe", Region::kEventLoop, Known::kOther},
    {"run_coroutine_threadsafe.", Region::kEventLoop, Known::kOther},
    {"_chain_future", Region::kEventLoop, Known::kOther},
    {"_chain_future.", Region::kEventLoop, Known::kOther},
};

// Those of stdlib.suppressions whose variables hand over nothing that the program looks into.
struct Harmless {
  const char* file;
  const char* function;
};
constexpr Harmless kHarmless[] = {
    {"/re/__init__.py", "_compile"},
    {"/logging/__init__.py", "Logger.isEnabledFor"},
    {"/tempfile.py", "_gettempdir"},
    {"/tempfile.py", "_get_candidate_names"},
    {"/tempfile.py", "_RandomNameSequence.rng"},
    {"/weakref.py", "finalize.__init__"},
    {"/encodings/__init__.py", "search_function"},
    {"/socketserver.py", "BaseServer.serve_forever"},
};

bool IsHarmless(const Text& file, const Text& function) {
  for (const Harmless& entry : kHarmless) {
    if (function == entry.function && IsLibraryFile(file, entry.file)) return true;
  }
  return false;
}

template <size_t kSize>
Entry Find(const Entry (&entries)[kSize], const Text& function) {
  for (const Entry& entry : entries) {
    const bool whole_class = entry.function[strlen(entry.function) - 1] == '.';
    if (whole_class ? function.StartsWith(entry.function) : function == entry.function) {
      return entry;
    }
  }
  return {"", Region::kNone, Known::kOther};
}

bool IsEventLoopFile(const Text& file) {
  for (const char* name :
       {"/asyncio/base_events.py", "/asyncio/selector_events.py", "/asyncio/unix_events.py",
        "/asyncio/events.py", "/asyncio/tasks.py", "/asyncio/futures.py"}) {
    if (IsLibraryFile(file, name)) return true;
  }
  return false;
}

}  // namespace

Traits TraitsOf(PyCodeObject* code, Traits parent) {
  const Text file = AsText(code->co_filename);
  const Text function = AsText(code->co_qualname);
  Entry entry = {"", Region::kNone, Known::kNone};
  if (IsLibraryFile(file, "/threading.py")) {
    entry = Find(kThreading, function);
  } else if (IsLibraryFile(file, "/queue.py")) {
    entry = Find(kQueue, function);
  } else if (IsLibraryFile(file, "/concurrent/futures/_base.py")) {
    entry = Find(kFutures, function);
  } else if (IsLibraryFile(file, "/concurrent/futures/thread.py")) {
    entry = Find(kExecutors, function);
  } else if (IsEventLoopFile(file)) {
    entry = Find(kEventLoops, function);
    if (entry.region == Region::kNone) entry.known = Known::kNone;
  } else if (function == "CodecInfo.__new__" &&
             (file == "<frozen codecs>" || IsLibraryFile(file, "/codecs.py"))) {
    // The interpreter hands it to others from its cache of codecs.
    entry.known = Known::kOther;
  } else if (file.StartsWith("<frozen importlib.")) {
    entry.known = Known::kImport;
  } else if (IsHarmless(file, function)) {
    return {false, Region::kNone, Known::kHarmless};
  }
  if (entry.known == Known::kNone) return {};
  Traits traits = {true, entry.region, entry.known};
  // What a primitive calls works for it; an executor's semaphore is book-keeping too.
  const bool serves = traits.region == Region::kNone || traits.region == Region::kCondition;
  if (serves && parent.primitive && parent.region != Region::kNone) traits.region = parent.region;
  if (traits.region == Region::kSemaphore && parent.region == Region::kExecutor) {
    traits.region = Region::kExecutor;
  }
  // What a thread runs is no book-keeping of threads.
  if (function == "Thread.run") traits.region = Region::kNone;
  return traits;
}

}  // namespace fthreadprof::race
