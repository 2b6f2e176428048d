// start_and_end: when tracking begins, what a fork does to it, and what is written at the end.
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "delays.h"
#include "synchronization.h"

extern "C" {
__attribute__((visibility("default"))) int32_t ftp_race_tracking = 0;
}

namespace fthreadprof::race {
namespace {

// Set once, before tracking begins.
const char* log_directory = nullptr;

thread_local bool holds_all_locks = false;

// What handlers do that are older than ours orders nothing: they run while our locks are held.
void PrepareFork() {
  if (ftp_race_tracking == 0) return;
  if (self != nullptr && self != kNoThread) ++self->busy;
  reporter.AcquireLocks();
  detector.AcquireAllLocks();
  holds_all_locks = true;
}
void ParentAfterFork() {
  if (!holds_all_locks) return;
  holds_all_locks = false;
  detector.ReleaseAllLocks();
  reporter.ReleaseLocks();
  if (self != nullptr && self != kNoThread) --self->busy;
}
void ChildAfterFork() {
  ParentAfterFork();
  RaceThread* thread = self;
  if (ftp_race_tracking == 0 || thread == nullptr || thread == kNoThread) return;
  detector.AfterForkInChild(*thread, IsOn(kForkEdge));
  if (!reporter.ReopenInChild()) ftp_race_tracking = 0;
}

__attribute__((constructor)) void ReadEnvironment() {
  const char* directory = getenv("FTHREADPROF_RACE_LOG");
  if (directory != nullptr && *directory != '\0') log_directory = strdup(directory);
  ReadDisabledEdges();
  ReadSeed();
  // Before any extension module's: its handler that takes its locks runs before ours, and gives
  // them back after ours. With our locks held a hook in it would wait for ever.
  if (log_directory != nullptr) pthread_atfork(PrepareFork, ParentAfterFork, ChildAfterFork);
}

// A quarter of the machine, at least 1 GiB.
uint64_t MemoryLimit() {
  const auto pages = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES));
  const uint64_t quarter = pages / 4 * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return quarter < uint64_t{1} << 30 ? uint64_t{1} << 30 : quarter;
}

}  // namespace

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
  RaceThread* thread = AdoptSelf();
  if (thread == nullptr) return false;
  if (getpid() == static_cast<pid_t>(syscall(SYS_gettid))) {
    strcpy(detector.registry.record(thread->id).name, "MainThread");
  }
  __atomic_store_n(&ftp_race_tracking, 1, __ATOMIC_RELEASE);
  return true;
}

}  // namespace fthreadprof::race

using namespace fthreadprof::race;

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
  AddAnnotationModule();
#if PY_VERSION_HEX >= 0x030e0000
  // Specialised bytecode passes by the functions that are hooked. PYTHON_TLBC is not enough: python
  // -I and -E ignore it.
  static_cast<PyConfig*>(config)->tlbc_enabled = 0;
#else
  (void)config;  // 3.13's free-threaded build does not specialise
#endif
}
