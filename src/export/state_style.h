// How a thread's state is said in a sentence and coloured in a picture.
//
// Thread safety: pure functions; what they return has static storage.
#ifndef FTHREADPROF_EXPORT_STATE_STYLE_H_
#define FTHREADPROF_EXPORT_STATE_STYLE_H_

#include "profile/thread_state.h"

namespace fthreadprof {

// What a thread in `state` does: "waits for the GIL", as in "41 % waits for the GIL".
const char* StateSays(ThreadState state);

// "#f27040". Black text on it is easy to read, and people with any of the common kinds of colour
// blindness can tell any two apart.
const char* StateColour(ThreadState state);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_STATE_STYLE_H_
