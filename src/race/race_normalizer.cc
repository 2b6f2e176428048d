#include "race/race_normalizer.h"

#include <optional>
#include <string>

#include "race/access_pattern.h"
#include "race/operation.h"

namespace fthreadprof {
namespace {

using race_log::ObjectKind;

// The name of the global that this dict access is by the code that does it; "" when it is none.
std::string GlobalAt(LogAnalysis& analysis, const LoggedAccess& access) {
  const std::optional<CodeSite> site = analysis.SiteAt(access.place);
  if (!site) return "";
  switch (site->effect().kind) {
    case EffectKind::kLoadAttribute:
    case EffectKind::kStoreAttribute:
    case EffectKind::kLoadVariable:
    case EffectKind::kStoreVariable:
      return site->effect().name;
    default:
      return "";
  }
}

bool IsIteration(LogAnalysis& analysis, const LoggedAccess& access) {
  const std::optional<CodeSite> site = analysis.SiteAt(access.place);
  return site && site->effect().kind == EffectKind::kIterate;
}

}  // namespace

LoggedRace NormalizeRace(LogAnalysis& analysis, LoggedRace race) {
  for (LoggedAccess* access : {&race.earlier, &race.later}) {
    if (IsIteration(analysis, *access)) access->operation = IterationOf(access->operation);
  }
  if (race.object_kind != ObjectKind::kDict) return race;
  for (const LoggedAccess* access : {&race.earlier, &race.later}) {
    const std::string name = GlobalAt(analysis, *access);
    if (name.empty() || race.key != "'" + name + "'") continue;
    race.object_kind = ObjectKind::kModule;
    race.key = name;
    for (LoggedAccess* side : {&race.earlier, &race.later}) {
      side->operation = GlobalAccess(side->is_write);
    }
    break;
  }
  return race;
}

}  // namespace fthreadprof
