#include "race/suppressions.h"

#include <algorithm>
#include <span>

#include "race/name_pattern.h"

namespace fthreadprof {
namespace {

// The frames of a side that are its code's: the innermost, and the callers of library code as far
// as the user's line that called it.
std::span<const RaceFrame> FramesMeant(const RaceStack& stack, RuleOrigin origin,
                                       const OwnCode& own) {
  size_t first = stack.size();
  while (first > 0) {
    --first;
    if (origin == RuleOrigin::kBuiltIn || own.IsOwn(stack[first].file)) break;
  }
  return std::span(stack).subspan(first);
}

bool IsInStandardLibrary(const RaceAccess& access) {
  return !access.stack.empty() && IsStandardLibrary(access.stack.back().file);
}

}  // namespace

bool SuppressionRule::Matches(const Race& race, const OwnCode& own) const {
  if (kind && *kind != race.kind) return false;
  // A key differs from run to run; the file's writer may have copied it all the same.
  if (!object.empty() && !MatchesName(object, race.object.stable_name) &&
      !MatchesName(object, race.object.name)) {
    return false;
  }
  if (origin == RuleOrigin::kBuiltIn && !std::ranges::all_of(race.accesses, IsInStandardLibrary)) {
    return false;
  }
  if (function.empty() && file.empty()) return true;
  return std::ranges::any_of(race.accesses, [&](const RaceAccess& access) {
    return std::ranges::any_of(FramesMeant(access.stack, origin, own), [&](const RaceFrame& frame) {
      return (function.empty() || MatchesName(function, frame.function)) &&
             (file.empty() || MatchesFile(file, frame.file));
    });
  });
}

}  // namespace fthreadprof
