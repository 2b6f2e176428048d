// synchronization: what orders threads: the functions of the standard library whose promise the
// runtime knows (known_code.h), locks, threads, channels.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_SYNCHRONIZATION_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_SYNCHRONIZATION_H_

#include <atomic>
#include <cerrno>

#include "tracking.h"

namespace fthreadprof::race {

class KeepErrno {
 public:
  KeepErrno() : errno_(errno) {}
  ~KeepErrno() { errno = errno_; }
  KeepErrno(const KeepErrno&) = delete;
  KeepErrno& operator=(const KeepErrno&) = delete;

 private:
  const int errno_;
};

// An attribute of a primitive that is its promise: writing it releases, reading it acquires. True
// if this is one.
bool SynchronizeByAttribute(RaceThread& thread, PyObject* object, PyObject* name, bool write);

// RaceThread::promise has been read.
void LearnPromise(RaceThread& thread);

// A key of SyncTable that no object has as its address: all threads that have ended.
inline constexpr uintptr_t kEndedThreads = (uintptr_t{1} << 62) + 16;

// In the thread that starts the second one. False: this process is not tracked.
bool BeginTracking();

// The built-in module behind fthreadprof.py, before the interpreter is initialised.
void AddAnnotationModule();

// Interned names of attributes; set once, before tracking begins.
FTP_HIDDEN extern PyObject* name_initializing;
FTP_HIDDEN extern PyObject* name_maxsize;
// threading.Thread; nullptr until a thread is started with threading imported.
FTP_HIDDEN extern std::atomic<PyTypeObject*> thread_type;

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_SYNCHRONIZATION_H_
