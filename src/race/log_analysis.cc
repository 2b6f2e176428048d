#include "race/log_analysis.h"

#include <string_view>

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

bool LogAnalysis::IsLibrary(const LoggedPlace& place) const {
  const auto node = log_.nodes.find(place.node);
  // A stack that is not known may be the user's.
  if (node == log_.nodes.end()) return place.node == kOutsidePython;
  return node->second.code != nullptr && IsStandardLibrary(node->second.code->file);
}

bool IsStandardLibrary(std::string_view file) {
  if (file.starts_with("<frozen ")) return true;
  for (const std::string_view directory : {"/lib/python3.", "/lib64/python3."}) {
    const size_t found = file.find(directory);
    if (found == std::string_view::npos) continue;
    const std::string_view below = file.substr(found);
    return below.find("/site-packages/") == std::string_view::npos &&
           below.find("/dist-packages/") == std::string_view::npos;
  }
  return false;
}

}  // namespace fthreadprof
