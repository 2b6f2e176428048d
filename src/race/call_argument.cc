#include "race/call_argument.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "race/access_pattern.h"

namespace fthreadprof {

bool IsSelfName(std::string_view name) { return name == "self" || name == "cls"; }

namespace {

// `Base.method(self, x)`, by whatever name: self is an argument like the others.
bool GivesSelf(const CodeSite& callee, const CodeSite& caller) {
  const std::vector<ExpressionId>& given = caller.effect().operands;
  if (given.empty() || given.size() != callee.code->argument_count) return false;
  const Expression& first = caller.expression(given[0]);
  return first.kind == ExpressionKind::kLocal && IsSelfName(first.name);
}

}  // namespace

std::optional<ExpressionId> ArgumentGiven(const LogAnalysis& analysis, const CodeSite& callee,
                                          const CodeSite& caller, const Expression& local) {
  const auto& locals = callee.code->locals;
  const auto found = std::ranges::find(locals, local.name, &LoggedCode::Local::name);
  if (found == locals.end()) return std::nullopt;
  auto position = static_cast<size_t>(found - locals.begin());
  const Effect& effect = caller.effect();
  const Opcode opcode = analysis.OpcodeAt(caller);
  const bool has_self = !locals.empty() && IsSelfName(locals[0].name) && !GivesSelf(callee, caller);
  if (has_self && position == 0) {
    // `module.Class()` hands in no module, it makes the object.
    const bool makes = callee.code->function.ends_with(".__init__") && effect.name != "__init__";
    if (makes || effect.kind == EffectKind::kCallFunction) return std::nullopt;
    return effect.object;
  }
  if (opcode == Opcode::CALL_KW || opcode == Opcode::CALL_FUNCTION_EX) return std::nullopt;
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
  if (has_self) --position;
  if (effect.kind != EffectKind::kCallMethod && effect.kind != EffectKind::kCallFunction) {
    return std::nullopt;
  }
  if (position >= effect.operands.size()) return std::nullopt;
  return effect.operands[position];
}

}  // namespace fthreadprof
