// LogAnalysis: one race log with what its code objects do, worked out when first asked for.
//
// Lifetime: refers to the log, which must outlive it. Thread safety: none.
#ifndef FTHREADPROF_RACE_LOG_ANALYSIS_H_
#define FTHREADPROF_RACE_LOG_ANALYSIS_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "race/access_pattern.h"
#include "race/opcode.h"
#include "race/race_log_reader.h"
#include "race/symbolic_code.h"

namespace fthreadprof {

// An instruction in a code object that the log knows.
struct CodeSite {
  const LoggedCode* code = nullptr;
  const SymbolicCode* symbolic = nullptr;
  uint32_t instruction = 0;  // index
  LoggedPlace caller;

  const Effect& effect() const { return symbolic->effects()[instruction]; }
  const Expression& expression(ExpressionId id) const { return symbolic->expressions()[id]; }
};

class LogAnalysis {
 public:
  explicit LogAnalysis(const RaceLog& log) : log_(log), opcodes_(ResolveOpcodes(log.opcodes)) {}

  const RaceLog& log() const { return log_; }
  // nullopt when the place is outside of Python or not known.
  std::optional<CodeSite> SiteAt(const LoggedPlace& place);
  Opcode OpcodeAt(const CodeSite& site) const {
    return opcodes_[site.code->instructions[site.instruction].opcode];
  }

 private:
  const RaceLog& log_;
  Opcodes opcodes_;
  absl::flat_hash_map<const LoggedCode*, std::unique_ptr<SymbolicCode>> codes_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_LOG_ANALYSIS_H_
