#include "race/classifier.h"

#include <algorithm>
#include <array>
#include <optional>

#include "race/access_pattern.h"
#include "race/operation.h"

namespace fthreadprof {
namespace {

struct Side {
  bool is_write = false;
  AccessPattern pattern = AccessPattern::kNone;
  Promise promise = Promise::kIntermediateStates;
  bool iterates = false;
  bool replaces_element = false;

  // The code around a read may go on to write the same variable: the next time it may be that write
  // that meets the other side.
  bool leads_to_write() const { return is_write || pattern != AccessPattern::kNone; }
};

// `pop(i)` moves what is behind, and is less than `pop()` is; the C function is the same.
bool PopsFromTheMiddle(const CodeSite& site, const LoggedAccess& access) {
  const Effect& effect = site.effect();
  return OperationName(access.operation) == "list.pop" && effect.name == "pop" &&
         !effect.operands.empty() && site.expression(effect.operands[0]).text != "-1";
}

Side SideOf(LogAnalysis& analysis, const LoggedRace& race, const LoggedAccess& access) {
  const OperationTraits& traits = TraitsOf(access.operation);
  Side side = {.is_write = access.is_write, .promise = traits.promise, .iterates = traits.iterates};
  side.replaces_element =
      ReplacesElement(access.operation) && race.variable_kind == race_log::VariableKind::kElement;
  // Each next() depends on those before, whatever the code makes of their values.
  if (race.object_kind == race_log::ObjectKind::kIterator) return side;
  if (const std::optional<CodeSite> site = analysis.SiteAt(access.place)) {
    side.pattern = PatternAt(*site->symbolic, site->instruction, race.object_kind,
                             OperationName(access.operation), access.is_write);
    if (PopsFromTheMiddle(*site, access)) side.promise = Promise::kIntermediateStates;
  }
  return side;
}

// The instruction of the access's own function that took the lock, by itself or by what it called.
std::optional<uint32_t> TakenAt(LogAnalysis& analysis, const LoggedLock& lock,
                                const LoggedAccess& access) {
  LoggedPlace place = lock.acquired_at;
  for (std::optional<CodeSite> site = analysis.SiteAt(place); site;
       place = site->caller, site = analysis.SiteAt(place)) {
    if (place.node == access.place.node) return site->instruction;
  }
  return std::nullopt;
}

// Double-checked locking: `read` is a test without the lock that `write`, in the same code, holds;
// but it is made again once the lock is taken, before anything is written.
bool IsDoubleChecked(LogAnalysis& analysis, const LoggedRace& race, const LoggedAccess& read,
                     const LoggedAccess& write) {
  const std::optional<CodeSite> test = analysis.SiteAt(read.place);
  const std::optional<CodeSite> act = analysis.SiteAt(write.place);
  if (read.is_write || !write.is_write || !test || !act || test->code != act->code) return false;
  return std::ranges::any_of(write.locks, [&](const LoggedLock& lock) {
    const std::optional<uint32_t> taken = TakenAt(analysis, lock, write);
    return taken && test->instruction < *taken &&
           IsTestedAgain(*test->symbolic, test->instruction, *taken, act->instruction,
                         race.object_kind, OperationName(read.operation));
  });
}

// One of the two does it, and the other writes.
template <typename Predicate>
bool Either(const std::array<Side, 2>& sides, Predicate predicate) {
  return (predicate(sides[0]) && sides[1].leads_to_write()) ||
         (predicate(sides[1]) && sides[0].leads_to_write());
}

}  // namespace

RaceKind ClassifyRace(LogAnalysis& analysis, const LoggedRace& race) {
  std::array<Side, 2> sides = {SideOf(analysis, race, race.earlier),
                               SideOf(analysis, race, race.later)};
  for (const size_t i : {0, 1}) {
    const LoggedAccess& access = i == 0 ? race.earlier : race.later;
    const LoggedAccess& other = i == 0 ? race.later : race.earlier;
    if (sides[i].pattern == AccessPattern::kCheckThenAct &&
        IsDoubleChecked(analysis, race, access, other)) {
      sides[i].pattern = AccessPattern::kNone;
    }
  }
  const auto has_pattern = [](AccessPattern pattern) {
    return [pattern](const Side& side) { return side.pattern == pattern; };
  };
  const auto promises = [](Promise promise) {
    return [promise](const Side& side) { return side.promise == promise; };
  };
  if (Either(sides, has_pattern(AccessPattern::kLostUpdate))) return RaceKind::kLostUpdate;
  if (Either(sides, has_pattern(AccessPattern::kCheckThenAct))) return RaceKind::kCheckThenAct;
  const bool iterates = Either(sides, [](const Side& side) { return side.iterates; });
  const bool same_elements = sides[0].replaces_element || sides[1].replaces_element;
  if (iterates) return same_elements ? RaceKind::kDataRace : RaceKind::kIteration;
  const auto not_atomic = promises(Promise::kNotAtomic);
  if (not_atomic(sides[0]) || not_atomic(sides[1])) return RaceKind::kUnsafe;
  const auto atomic_write = [&](const Side& side) {
    return side.is_write && side.promise == Promise::kAtomic;
  };
  if (atomic_write(sides[0]) && atomic_write(sides[1])) return RaceKind::kOrdering;
  return RaceKind::kDataRace;
}

}  // namespace fthreadprof
