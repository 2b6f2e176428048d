// GilObserver tells a recording when, and by which import, the GIL of a free-threaded process was
// turned on. It looks at what a pass has read anyway, and closer only at imports in progress, and
// while the GIL is on and the reason not known.
//
// Lifetime: borrows memory and offsets. Thread safety: none.
#ifndef FTHREADPROF_SAMPLER_GIL_OBSERVER_H_
#define FTHREADPROF_SAMPLER_GIL_OBSERVER_H_

#include <cstdint>
#include <optional>

#include "contention/gil_culprit.h"
#include "profile/gil_cause.h"
#include "python/interpreter_reader.h"

namespace fthreadprof {

class GilObserver {
 public:
  // REQUIRES: both outlive the observer; the build is a free-threaded one.
  GilObserver(ProcessMemory& memory, const DebugOffsets& offsets) : culprit_(memory, offsets) {}

  // To be called after each pass, `time_us` after the recording began. Whether cause() has changed.
  bool Look(const InterpreterReader& pass, uint64_t time_us);
  // No pass follows: what is not known by now is decided by what was seen. Whether cause() has
  // changed.
  bool Finish();

  // Nothing while the GIL is off.
  const std::optional<GilCause>& cause() const { return cause_; }

 private:
  bool Begin(const InterpreterReader& pass);
  bool LookCloser(const InterpreterReader& pass, uint64_t time_us);
  void Search(const InterpreterReader& pass, uint64_t time_us);
  void Describe();

  GilCulprit culprit_;
  std::optional<GilCause> cause_;
  bool has_begun_ = false;
  bool is_over_ = false;       // nothing more is to be found out
  bool came_later_ = false;    // a pass saw it off: it was not on when we came
  bool knows_before_ = false;  // what was there when the GIL was off
  uint64_t turned_on_us_ = 0;
  uint64_t next_search_us_ = 0;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_SAMPLER_GIL_OBSERVER_H_
