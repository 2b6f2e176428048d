#include "race/object_namer.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "race/call_argument.h"
#include "race/operation.h"
#include "race/own_code.h"

namespace fthreadprof {
namespace {

using race_log::ObjectKind;
using race_log::VariableKind;

constexpr std::string_view kLocals = ".<locals>";
// CO_FAST_CELL of Include/internal/pycore_code.h (3.13 to 3.15): the variable is the code's own.
constexpr uint8_t kFastCell = 0x40;
// How far names are followed through callers and subscripts.
constexpr int kMaxDepth = 16;

std::string Unquoted(std::string_view key) {
  const bool quoted =
      key.size() >= 2 && (key.front() == '\'' || key.front() == '"') && key.back() == key.front();
  return std::string(quoted ? key.substr(1, key.size() - 2) : key);
}

// "make" of "Outer.make.<locals>.inc": the function around, without what is around it in turn.
std::string EnclosingFunction(std::string_view qualified_name) {
  const size_t locals = qualified_name.rfind(kLocals);
  if (locals == std::string_view::npos) return std::string(qualified_name);
  std::string_view around = qualified_name.substr(0, locals);
  const size_t outer = around.rfind(kLocals);
  if (outer != std::string_view::npos) around.remove_prefix(outer + kLocals.size() + 1);
  return std::string(around);
}

std::string WithoutOuterFunctions(std::string_view qualified_name) {
  const size_t locals = qualified_name.rfind(kLocals);
  if (locals == std::string_view::npos) return std::string(qualified_name);
  return std::string(
      qualified_name.substr(std::min(locals + kLocals.size() + 1, qualified_name.size())));
}

}  // namespace

std::string ClassOfFunction(std::string_view qualified_name) {
  while (!qualified_name.empty()) {
    const size_t dot = qualified_name.rfind('.');
    if (dot == std::string_view::npos) return "";
    std::string_view around = qualified_name.substr(0, dot);
    if (!around.ends_with("<locals>")) return LastComponent(around);
    around.remove_suffix(std::min(around.size(), kLocals.size()));
    qualified_name = around;
  }
  return "";
}

std::string LastComponent(std::string_view qualified_name) {
  const size_t dot = qualified_name.rfind('.');
  return std::string(dot == std::string_view::npos ? qualified_name
                                                   : qualified_name.substr(dot + 1));
}

ObjectName ObjectNamer::NameOf(const LoggedRace& race) {
  switch (race.object_kind) {
    case ObjectKind::kInstance:
    case ObjectKind::kClass:
      return NameOfAttribute(race);
    case ObjectKind::kModule: {
      const std::string name = absl::StrCat("module ", Unquoted(race.key));
      return {name, name, name, false};
    }
    case ObjectKind::kCell:
      return NameOfCell(race);
    case ObjectKind::kList:
    case ObjectKind::kDict:
    case ObjectKind::kSet:
    case ObjectKind::kDeque:
    case ObjectKind::kBytearray:
    case ObjectKind::kArray:
    case ObjectKind::kIterator:
      return NameOfContainer(race);
  }
  return {};
}

ObjectName ObjectNamer::NameOfAttribute(const LoggedRace& race) {
  const std::string name = absl::StrCat(LastComponent(race.type), ".", Unquoted(race.key));
  return {name, name, name, false};
}

// A cell has no name of its own. A side whose own variable it is knows the function best; else the
// outermost function of the two sides' guesses.
ObjectName ObjectNamer::NameOfCell(const LoggedRace& race) {
  using Guess = std::tuple<bool, size_t, std::string>;  // the least is the best
  std::optional<Guess> best;
  for (const LoggedAccess* access : {&race.earlier, &race.later}) {
    const std::optional<CodeSite> site = analysis_.SiteAt(access->place);
    if (!site) continue;
    const std::optional<Target> target =
        TargetAt(*site->symbolic, site->instruction, ObjectKind::kCell, "");
    if (!target) continue;
    const std::string& variable = site->expression(target->object).name;
    const bool own = std::ranges::any_of(site->code->locals, [&](const LoggedCode::Local& local) {
      return local.name == variable && (local.kind & kFastCell) != 0;
    });
    const std::string function =
        own ? WithoutOuterFunctions(site->code->function) : EnclosingFunction(site->code->function);
    Guess guess = {!own, site->code->function.size(),
                   absl::StrCat("closure ", function, ".<", variable, ">")};
    if (!best || guess < *best) best = std::move(guess);
  }
  if (best) return {std::get<2>(*best), std::get<2>(*best), std::get<2>(*best), false};
  const std::string text = race.key.empty() ? "" : absl::StrCat(" ", Unquoted(race.key));
  return {absl::StrFormat("closure variable%s at %#x", text, race.address),
          absl::StrCat("closure variable", text), absl::StrCat("closure variable", text), false};
}

ObjectName ObjectNamer::NameOfContainer(const LoggedRace& race) {
  const Candidate earlier = ContainerOf(race, race.earlier);
  const Candidate later = ContainerOf(race, race.later);
  const auto worth = [](const Candidate& candidate) {
    return std::tuple(candidate.rank, candidate.in_program);
  };
  bool take_later = worth(later) > worth(earlier);
  if (worth(later) == worth(earlier)) take_later = later.text < earlier.text;
  const Candidate& best = take_later ? later : earlier;
  ObjectName name;
  name.in_program = earlier.in_program || later.in_program;
  name.container = best.rank == Rank::kNone
                       ? absl::StrFormat("%s at %#x", LastComponent(race.type), race.address)
                       : best.text;
  name.stable = best.rank == Rank::kNone ? LastComponent(race.type) : best.text;
  name.element = name.container;
  // An element of a set is the set's: there is no word for it alone.
  const bool has_elements = race.object_kind != ObjectKind::kSet;
  if (race.variable_kind == VariableKind::kElement && has_elements && !race.key.empty()) {
    absl::StrAppend(&name.element, "[", race.key, "]");
  }
  return name;
}

ObjectNamer::Candidate ObjectNamer::ContainerOf(const LoggedRace& race,
                                                const LoggedAccess& access) {
  const std::optional<CodeSite> site = analysis_.SiteAt(access.place);
  if (!site) return {};
  const std::optional<Target> target = TargetAt(*site->symbolic, site->instruction,
                                                race.object_kind, OperationName(access.operation));
  if (!target) return {};
  return NameExpression(*site, target->object, kMaxDepth);
}

ObjectNamer::Candidate ObjectNamer::NameExpression(const CodeSite& site, ExpressionId id,
                                                   int depth) {
  if (depth == 0) return {};
  const Expression& expression = site.expression(id);
  const bool in_program = !IsStandardLibrary(site.code->file);
  switch (expression.kind) {
    case ExpressionKind::kLocal:
      return NameArgument(site, expression, depth);
    case ExpressionKind::kCell:
      return {expression.name, Rank::kCell, in_program};
    case ExpressionKind::kGlobal:
      return {expression.name, Rank::kGlobal, in_program};
    case ExpressionKind::kAttribute:
      return NameAttribute(site, expression, depth);
    case ExpressionKind::kItem: {
      Candidate base = NameExpression(site, expression.operands[0], depth - 1);
      if (base.rank == Rank::kNone) return {};
      const std::string& key = site.expression(expression.operands[1]).text;
      absl::StrAppend(&base.text, "[", key.empty() ? "..." : key, "]");
      return base;
    }
    default:
      if (expression.text.empty()) return {};
      return {expression.text, Rank::kResult, in_program};
  }
}

ObjectNamer::Candidate ObjectNamer::NameAttribute(const CodeSite& site, const Expression& attribute,
                                                  int depth) {
  const Expression& base = site.expression(attribute.operands[0]);
  const bool in_program = !IsStandardLibrary(site.code->file);
  const bool is_variable =
      base.kind == ExpressionKind::kLocal || base.kind == ExpressionKind::kCell;
  if (is_variable && IsSelfName(base.name)) {
    const std::string type = ClassOfFunction(site.code->function);
    if (!type.empty()) {
      return {absl::StrCat(type, ".", attribute.name), Rank::kAttributeOfSelf, in_program};
    }
  }
  if (!attribute.text.empty()) return {attribute.text, Rank::kAttributeOfOther, in_program};
  const Candidate owner = NameExpression(site, attribute.operands[0], depth - 1);
  if (owner.rank == Rank::kNone) return {};
  return {absl::StrCat(owner.text, ".", attribute.name), Rank::kAttributeOfOther, in_program};
}

// A local is named by itself in the program's code. In the library's, and where the compiler named
// it, what the caller gave says more.
ObjectNamer::Candidate ObjectNamer::NameArgument(const CodeSite& site, const Expression& local,
                                                 int depth) {
  const bool in_program = !IsStandardLibrary(site.code->file);
  const bool has_name = !local.text.empty();
  if (local.definition == kAtEntry && (!in_program || !has_name)) {
    if (const std::optional<CodeSite> caller = analysis_.SiteAt(site.caller)) {
      if (const auto given = ArgumentGiven(analysis_, site, *caller, local)) {
        const Candidate name = NameExpression(*caller, *given, depth - 1);
        if (name.rank != Rank::kNone) return name;
      }
    }
  }
  if (!has_name) return {};
  if (local.definition == kAtEntry && IsSelfName(local.name)) {
    const std::string type = ClassOfFunction(site.code->function);
    if (!type.empty()) return {type, Rank::kLocal, in_program};
  }
  return {local.text, Rank::kLocal, in_program};
}

std::string ObjectNamer::NameOf(const LoggedLock& lock) {
  const auto text_at = [](const CodeSite& site) -> std::string {
    const Effect& effect = site.effect();
    if (effect.name == "enter_context" && !effect.operands.empty()) {
      return site.expression(effect.operands[0]).text;
    }
    // A condition that was waited for has its lock again.
    const bool acquires = effect.name == "acquire" || effect.name == "__enter__" ||
                          effect.name == "acquire_lock" || effect.name == "__aenter__" ||
                          effect.name == "wait" || effect.name == "wait_for";
    return effect.kind == EffectKind::kCallMethod && acquires ? site.expression(effect.object).text
                                                              : "";
  };
  const std::optional<CodeSite> innermost = analysis_.SiteAt(lock.acquired_at);
  std::optional<CodeSite> site = innermost;
  // `with condition:` takes its lock inside threading.py: the user's line says which.
  for (int depth = 0; depth < kMaxDepth && site && IsStandardLibrary(site->code->file); ++depth) {
    site = analysis_.SiteAt(site->caller);
  }
  std::string text;
  if (site) text = text_at(*site);
  if (text.empty() && innermost) text = text_at(*innermost);
  if (text.empty()) text = absl::StrFormat("lock at %#x", lock.address);
  return text;
}

std::array<std::vector<std::string>, 2> ObjectNamer::LocksOf(const LoggedRace& race) {
  struct Named {
    uint64_t address;
    std::string name;
  };
  std::array<std::vector<Named>, 2> sides;
  std::map<std::string, std::vector<uint64_t>> by_name;
  for (const size_t i : {0, 1}) {
    for (const LoggedLock& lock : (i == 0 ? race.earlier : race.later).locks) {
      const auto is_lock = [&](const Named& held) { return held.address == lock.address; };
      if (std::ranges::any_of(sides[i], is_lock)) continue;
      sides[i].push_back({lock.address, NameOf(lock)});
      std::vector<uint64_t>& same = by_name[sides[i].back().name];
      if (std::ranges::find(same, lock.address) == same.end()) same.push_back(lock.address);
    }
  }
  std::array<std::vector<std::string>, 2> names;
  for (const size_t i : {0, 1}) {
    for (const Named& lock : sides[i]) {
      const std::vector<uint64_t>& same = by_name[lock.name];
      const auto number = std::ranges::find(same, lock.address) - same.begin() + 1;
      names[i].push_back(same.size() == 1 ? lock.name : absl::StrCat(lock.name, " (", number, ")"));
    }
  }
  return names;
}

}  // namespace fthreadprof
