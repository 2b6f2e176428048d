#include "race/log_analysis.h"

namespace fthreadprof {

std::optional<CodeSite> LogAnalysis::SiteAt(const LoggedPlace& place) {
  const auto node = log_.nodes.find(place.node);
  if (node == log_.nodes.end() || node->second.code == nullptr) return std::nullopt;
  const LoggedCode& code = *node->second.code;
  const std::optional<uint32_t> instruction = code.InstructionAt(place.offset);
  if (!instruction) return std::nullopt;
  std::unique_ptr<SymbolicCode>& symbolic = codes_[&code];
  if (symbolic == nullptr) symbolic = std::make_unique<SymbolicCode>(code, opcodes_);
  return CodeSite{&code, symbolic.get(), *instruction, node->second.caller};
}

}  // namespace fthreadprof
