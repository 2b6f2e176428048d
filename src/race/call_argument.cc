#include "race/call_argument.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "race/access_pattern.h"

namespace fthreadprof {

bool IsSelfName(std::string_view name) { return name == "self" || name == "cls"; }

namespace {

// CO_VARARGS and CO_VARKEYWORDS of Include/cpython/code.h: the last arguments are collected ones.
constexpr uint32_t kVarArguments = 0x04;
constexpr uint32_t kVarKeywords = 0x08;

// C functions that call back with arguments of their own making: map(function, values).
constexpr std::string_view kCallBack[] = {
    "all", "any",  "dict",   "extend", "filter", "frozenset", "iter", "join", "list", "map",  "max",
    "min", "next", "reduce", "set",    "sort",   "sorted",    "sub",  "subn", "sum",  "tuple"};

size_t CollectedArguments(const LoggedCode& code) {
  return ((code.flags & kVarArguments) != 0 ? 1 : 0) + ((code.flags & kVarKeywords) != 0 ? 1 : 0);
}

std::string_view NameOf(const LoggedCode& code) {
  return std::string_view(code.function).substr(code.function.rfind('.') + 1);
}

bool IsDunder(std::string_view name) {
  return name.size() > 4 && name.starts_with("__") && name.ends_with("__");
}

bool IsCall(const Effect& effect) {
  return effect.kind == EffectKind::kCallMethod || effect.kind == EffectKind::kCallFunction;
}

// `Base.method(self, x)`, by whatever name: self is an argument like the others.
bool GivesSelf(const CodeSite& callee, const CodeSite& caller) {
  const std::vector<ExpressionId>& given = caller.effect().operands;
  if (given.empty() || given.size() != callee.code->argument_count) return false;
  // A bound method has no room for as many.
  if (CollectedArguments(*callee.code) == 0) return true;
  const Expression& first = caller.expression(given[0]);
  return first.kind == ExpressionKind::kLocal && IsSelfName(first.name);
}

// What is self for a callee that the caller's instruction did not hand it to as an argument.
std::optional<ExpressionId> SelfGiven(const CodeSite& callee, const Effect& effect) {
  const std::string_view name = NameOf(*callee.code);
  // `module.Class()` hands in no module, it makes the object.
  if (name == "__init__" && effect.name != "__init__") return std::nullopt;
  if (effect.kind == EffectKind::kCallFunction) return std::nullopt;
  // `self.callback(x)` with a bound method of something else, or an object that can be called.
  const bool is_its_own = effect.name == name || (IsDunder(name) && name != "__call__");
  if (effect.kind == EffectKind::kCallMethod && !is_its_own) return std::nullopt;
  return effect.object;
}

// `owner.x` or `owner.x = value`, which calls __get__(self, owner, ...) of what is in the class.
bool IsDescriptorAccess(const CodeSite& callee, const Effect& effect) {
  const std::string_view name = NameOf(*callee.code);
  return (effect.kind == EffectKind::kLoadAttribute && name == "__get__") ||
         (effect.kind == EffectKind::kStoreAttribute &&
          (name == "__set__" || name == "__delete__"));
}

// Where the local stands among the callee's arguments; nullopt when it is none.
std::optional<size_t> PositionOf(const LoggedCode& code, const Expression& local) {
  const auto found = std::ranges::find(code.locals, local.name, &LoggedCode::Local::name);
  const auto position = static_cast<size_t>(found - code.locals.begin());
  if (position >= code.argument_count) return std::nullopt;
  return position;
}

// The callee's first argument is self, and the call does not list it.
bool HasSelf(const CodeSite& callee, const CodeSite& caller) {
  const auto& locals = callee.code->locals;
  return !locals.empty() && IsSelfName(locals[0].name) && !GivesSelf(callee, caller);
}

// The call lists what it gives by position, to this callee.
bool GivesByPosition(const LogAnalysis& analysis, const CodeSite& callee, const CodeSite& caller) {
  const Effect& effect = caller.effect();
  const Opcode opcode = analysis.OpcodeAt(caller);
  return IsCall(effect) && opcode != Opcode::CALL_KW && opcode != Opcode::CALL_FUNCTION_EX &&
         (std::ranges::count(kCallBack, effect.name) == 0 || effect.name == NameOf(*callee.code));
}

}  // namespace

std::optional<ExpressionId> ArgumentGiven(const LogAnalysis& analysis, const CodeSite& callee,
                                          const CodeSite& caller, const Expression& local) {
  const std::optional<size_t> position = PositionOf(*callee.code, local);
  if (!position || *position + CollectedArguments(*callee.code) >= callee.code->argument_count) {
    return std::nullopt;
  }
  const Effect& effect = caller.effect();
  if (IsDescriptorAccess(callee, effect)) {
    return *position == 1 ? std::optional(effect.object) : std::nullopt;
  }
  const bool has_self = HasSelf(callee, caller);
  if (has_self && *position == 0) return SelfGiven(callee, effect);
  if (local.name.starts_with('.')) {
    // A generator expression is called when it is made; here is who consumes it.
    for (const ExpressionId operand : effect.operands) {
      const Expression& made = caller.expression(operand);
      if (made.kind == ExpressionKind::kCall && made.operands.size() == 2) {
        return PeelView(caller.symbolic->expressions(), made.operands[1]);
      }
    }
    return std::nullopt;
  }
  const size_t operand = *position - (has_self ? 1 : 0);
  if (!GivesByPosition(analysis, callee, caller) || operand >= effect.operands.size()) {
    return std::nullopt;
  }
  return effect.operands[operand];
}

std::vector<ExpressionId> ArgumentsCollected(const LogAnalysis& analysis, const CodeSite& callee,
                                             const CodeSite& caller, const Expression& local) {
  const LoggedCode& code = *callee.code;
  const std::optional<size_t> position = PositionOf(code, local);
  if ((code.flags & kVarArguments) == 0 || !position ||
      *position != code.argument_count - CollectedArguments(code) ||
      !GivesByPosition(analysis, callee, caller)) {
    return {};
  }
  const std::vector<ExpressionId>& given = caller.effect().operands;
  const size_t first = *position - (HasSelf(callee, caller) ? 1 : 0);
  if (first >= given.size()) return {};
  return {given.begin() + static_cast<std::ptrdiff_t>(first), given.end()};
}

}  // namespace fthreadprof
