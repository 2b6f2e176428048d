// What the user may choose about an output; plain values that every exporter understands.
#ifndef FTHREADPROF_EXPORT_EXPORT_OPTIONS_H_
#define FTHREADPROF_EXPORT_EXPORT_OPTIONS_H_

#include <string>

namespace fthreadprof {

struct ExportOptions {
  bool processes = false;      // -s: a root frame `process PID COMMAND` above each process's stacks
  bool threads = false;        // -t: a frame `thread NAME (TID)` above each thread's stacks
  bool function_only = false;  // -F: frames without line numbers, so that equal functions merge
  bool by_state = false;       // --by-state: an innermost frame `[STATE]` in each stack
  std::string title{};         // empty: made from the profile's target
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_EXPORT_OPTIONS_H_
