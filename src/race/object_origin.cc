#include "race/object_origin.h"

#include <algorithm>
#include <optional>

#include "race/access_pattern.h"
#include "race/call_argument.h"
#include "race/operation.h"

namespace fthreadprof {
namespace {

using race_log::ObjectKind;

constexpr int kMaxSteps = 32;  // from the access to own code

}  // namespace

bool ObjectOrigin::IsOwnAccess(const LoggedAccess& access) const {
  const auto& nodes = analysis_.log().nodes;
  const auto node = nodes.find(access.place.node);
  if (node == nodes.end()) return access.place.node != kOutsidePython;
  return node->second.code == nullptr || own_.IsOwn(node->second.code->file);
}

bool ObjectOrigin::IsOwnObject(const LoggedRace& race) {
  if (race.object_kind == ObjectKind::kModule || race.object_kind == ObjectKind::kClass ||
      race.object_kind == ObjectKind::kCell) {
    return false;
  }
  for (const LoggedAccess* access : {&race.earlier, &race.later}) {
    const std::optional<CodeSite> site = analysis_.SiteAt(access->place);
    if (!site) continue;
    const std::optional<Target> target = TargetAt(
        *site->symbolic, site->instruction, race.object_kind, OperationName(access->operation));
    if (target && ComesFromOwn(*site, target->object, kMaxSteps)) return true;
  }
  return false;
}

bool ObjectOrigin::ComesFromOwn(const CodeSite& site, ExpressionId id, int depth) {
  const Expression& expression = site.expression(id);
  if (own_.IsOwn(site.code->file)) return !expression.text.empty();
  if (depth == 0) return false;
  switch (expression.kind) {
    case ExpressionKind::kAttribute:
    case ExpressionKind::kItem:
      return ComesFromOwn(site, expression.operands[0], depth - 1);
    case ExpressionKind::kLocal: {
      // A library's class stays the library's, whoever names it.
      if (expression.definition != kAtEntry || expression.name == "cls") return false;
      const std::optional<CodeSite> caller = analysis_.SiteAt(site.caller);
      if (!caller) return false;
      const auto comes_from_own = [&](ExpressionId given) {
        return ComesFromOwn(*caller, given, depth - 1);
      };
      const auto given = ArgumentGiven(analysis_, site, *caller, expression);
      return (given && comes_from_own(*given)) ||
             std::ranges::any_of(ArgumentsCollected(analysis_, site, *caller, expression),
                                 comes_from_own);
    }
    default:
      return false;
  }
}

}  // namespace fthreadprof
