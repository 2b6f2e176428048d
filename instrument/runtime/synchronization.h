// synchronization: what orders threads: the functions of the standard library whose promise the
// runtime knows (known_code.h), locks, threads, channels.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_SYNCHRONIZATION_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_SYNCHRONIZATION_H_

#include "tracking.h"

namespace fthreadprof::race {

// An attribute of a primitive that is its promise: writing it releases, reading it acquires. True
// if this is one.
bool SynchronizeByAttribute(RaceThread& thread, PyObject* object, PyObject* name, bool write);

// In the thread that starts the second one. False: this process is not tracked.
bool BeginTracking();

// Interned names of attributes; set once, before tracking begins.
FTP_HIDDEN extern PyObject* name_initializing;
FTP_HIDDEN extern PyObject* name_maxsize;

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_SYNCHRONIZATION_H_
