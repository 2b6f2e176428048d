#include "cli/gate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "profile/figures.h"

namespace fthreadprof {
namespace {

constexpr char kEffectiveCores[] = "effective_cores";
constexpr char kTorn[] = "torn";
constexpr char kGc[] = "gc";
constexpr char kStopTheWorld[] = "stop_the_world";
// The states of threads; a gate on that of tasks would never hold.
constexpr std::array kMeasuredStates = {
    ThreadState::kRunning,  ThreadState::kNative,     ThreadState::kRunnable, ThreadState::kGilWait,
    ThreadState::kLockWait, ThreadState::kNativeLock, ThreadState::kStopped,  ThreadState::kIdle,
    ThreadState::kIo,       ThreadState::kSleep,      ThreadState::kOther};

absl::Status BadGate(const std::string& text, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat("--fail-if '", text, "' ", why));
}

std::vector<std::string> FigureNames() {
  std::vector<std::string> names = {kEffectiveCores, kTorn, kGc, kStopTheWorld};
  for (const ThreadState state : kMeasuredStates) names.emplace_back(ThreadStateName(state));
  return names;
}

}  // namespace

absl::StatusOr<Gate> Gate::Parse(const std::string& text) {
  Gate gate;
  gate.text_ = text;
  const size_t at = text.find_first_of("<>");
  if (at == std::string::npos) {
    return BadGate(text, "compares nothing: give a figure, < or >, and a limit, as in gil_wait>5%");
  }
  gate.figure_ = std::string(absl::StripAsciiWhitespace(absl::string_view(text).substr(0, at)));
  absl::string_view limit = absl::string_view(text).substr(at + 1);
  const bool or_equal = absl::ConsumePrefix(&limit, "=");
  if (text[at] == '>') {
    gate.comparison_ = or_equal ? Comparison::kAtLeast : Comparison::kAbove;
  } else {
    gate.comparison_ = or_equal ? Comparison::kAtMost : Comparison::kBelow;
  }
  const auto state = std::find_if(
      kMeasuredStates.begin(), kMeasuredStates.end(),
      [&](ThreadState candidate) { return gate.figure_ == ThreadStateName(candidate); });
  if (state != kMeasuredStates.end()) gate.state_ = *state;
  const bool is_cores = gate.figure_ == kEffectiveCores;
  if (!gate.state_ && !is_cores && gate.figure_ != kTorn && gate.figure_ != kGc &&
      gate.figure_ != kStopTheWorld) {
    return BadGate(text, absl::StrCat("names no figure that is measured: give one of ",
                                      absl::StrJoin(FigureNames(), ", ")));
  }
  limit = absl::StripAsciiWhitespace(limit);
  const bool percent = absl::ConsumeSuffix(&limit, "%");
  if (!absl::SimpleAtod(limit, &gate.limit_) || !std::isfinite(gate.limit_)) {
    return BadGate(text, "has no number as its limit, as in gil_wait>5%");
  }
  if (percent && is_cores) return BadGate(text, "is a number of cores: give it without %");
  if (percent) gate.limit_ /= 100;
  if (!is_cores && (gate.limit_ < 0 || gate.limit_ > 1)) {
    return BadGate(text,
                   "compares a share, which is between 0 and 100%: write the %, as in gil_wait>5%");
  }
  return gate;
}

std::optional<double> Gate::Measure(const Profile& profile) const {
  if (state_) return StateFraction(profile, *state_);
  if (figure_ == kTorn) return TornFraction(profile);
  if (figure_ == kGc) return GcFraction(profile);
  if (figure_ == kStopTheWorld) return StoppedFraction(profile);
  return EffectiveCores(profile);
}

absl::StatusOr<std::optional<std::string>> Gate::Check(const Profile& profile) const {
  const std::optional<double> value = Measure(profile);
  if (!value) {
    return absl::FailedPreconditionError(
        absl::StrCat("--fail-if '", text_, "' has nothing to compare: there are no samples"));
  }
  const bool holds = comparison_ == Comparison::kAbove     ? *value > limit_
                     : comparison_ == Comparison::kAtLeast ? *value >= limit_
                     : comparison_ == Comparison::kBelow   ? *value < limit_
                                                           : *value <= limit_;
  if (!holds) return std::nullopt;
  const std::string measured = figure_ == kEffectiveCores
                                   ? absl::StrFormat("%.2f", *value)
                                   : absl::StrFormat("%.2f %% of %s", 100 * *value,
                                                     state_             ? "thread time"
                                                     : figure_ == kTorn ? "the samples"
                                                                        : "the time");
  return absl::StrCat(figure_, " is ", measured, ": --fail-if '", text_, "' holds");
}

}  // namespace fthreadprof
