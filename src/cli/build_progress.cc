#include "cli/build_progress.h"

#include <unistd.h>

#include <iostream>

#include "absl/strings/str_format.h"

namespace fthreadprof {

BuildProgress::BuildProgress(bool verbose, bool quiet)
    : verbose_(verbose), terminal_(!quiet && isatty(STDERR_FILENO) != 0) {}

void BuildProgress::Show(const std::string& step) {
  const bool is_new = step != step_;
  step_ = step;
  if (verbose_) {
    if (is_new) std::cerr << step << "\n";
  } else if (terminal_) {
    const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - start_);
    std::cerr << absl::StreamFormat("\r\x1b[Kinterpreter: %s (%d s)", step, elapsed.count())
              << std::flush;
    shown_ = true;
  }
}

void BuildProgress::Clear() {
  if (shown_) std::cerr << "\r\x1b[K" << std::flush;
  shown_ = false;
}

}  // namespace fthreadprof
