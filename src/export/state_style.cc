#include "export/state_style.h"

#include <cstddef>
#include <iterator>

namespace fthreadprof {
namespace {

struct StateStyle {
  const char* says;
  const char* colour;
};

// As in ThreadState. Green and blue work, warm colours wait for another thread, the rest for the
// world; no purple, which is what a search found.
constexpr StateStyle kStyles[] = {
    {"runs Python", "#62cf8d"},
    {"runs native code", "#5f9bc9"},
    {"waits for a CPU", "#b6f3a8"},
    {"waits for the GIL", "#f27040"},
    {"waits for a lock", "#ffb52b"},
    {"waits for a native lock", "#ffe07d"},
    {"is stopped by the interpreter", "#bd7657"},
    {"is idle", "#d8c9c9"},
    {"waits for I/O", "#66e4ee"},
    {"sleeps", "#a6a0a0"},
    {"is of unknown use", "#f6f5dd"},
    {"awaits", "#a9c6ff"},
};
static_assert(std::size(kStyles) == kThreadStateCount);

}  // namespace

const char* StateSays(ThreadState state) { return kStyles[static_cast<size_t>(state)].says; }

const char* StateColour(ThreadState state) { return kStyles[static_cast<size_t>(state)].colour; }

}  // namespace fthreadprof
