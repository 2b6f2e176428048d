// BuildProgress: what is said while an interpreter is built: one line on a terminal that is written
// over; with -v one line a step; else nothing.
//
// Lifetime: clears its line when it goes. Thread safety: none.
#ifndef FTHREADPROF_CLI_BUILD_PROGRESS_H_
#define FTHREADPROF_CLI_BUILD_PROGRESS_H_

#include <chrono>
#include <string>

namespace fthreadprof {

class BuildProgress {
 public:
  BuildProgress(bool verbose, bool quiet);
  ~BuildProgress() { Clear(); }
  BuildProgress(const BuildProgress&) = delete;
  BuildProgress& operator=(const BuildProgress&) = delete;

  // A step, about once a second and when it begins.
  void Show(const std::string& step);
  // Before anything else is written to standard error.
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;
  const bool verbose_;
  const bool terminal_;
  const Clock::time_point start_ = Clock::now();
  std::string step_;
  bool shown_ = false;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_BUILD_PROGRESS_H_
