// Gate is a --fail-if: one figure of a recording compared with a limit, so that a pipeline fails
// when threads wait too much.
//
// Immutable.
#ifndef FTHREADPROF_CLI_GATE_H_
#define FTHREADPROF_CLI_GATE_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "profile/profile.h"

namespace fthreadprof {

// The exit status when a gate holds.
inline constexpr int kGateHolds = 3;

class Gate {
 public:
  // "gil_wait>5%", "effective_cores<1.5", "torn>=1%": a thread state or `torn`, as a percentage or
  // a fraction, or `effective_cores`. Fails with kInvalidArgument; the message is a sentence.
  static absl::StatusOr<Gate> Parse(const std::string& text);

  // What to say when the figure of `profile` is beyond the limit; nothing when it is not. Fails
  // with kFailedPrecondition when the figure was not measured.
  absl::StatusOr<std::optional<std::string>> Check(const Profile& profile) const;

 private:
  enum class Comparison { kAbove, kAtLeast, kBelow, kAtMost };

  Gate() = default;

  std::optional<double> Measure(const Profile& profile) const;

  std::string text_;
  std::string figure_;
  std::optional<ThreadState> state_;
  Comparison comparison_ = Comparison::kAbove;
  double limit_ = 0;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_GATE_H_
