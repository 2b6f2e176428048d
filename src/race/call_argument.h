// What a call hands in, seen from the function that was called.
//
// Thread safety: none (the analysis is filled as it is used).
#ifndef FTHREADPROF_RACE_CALL_ARGUMENT_H_
#define FTHREADPROF_RACE_CALL_ARGUMENT_H_

#include <optional>
#include <string_view>
#include <vector>

#include "race/log_analysis.h"

namespace fthreadprof {

// What the caller's instruction hands in for `local`, an argument of the callee. Only what is
// simple: positions, and what an operator, an attribute or a loop gives as self.
std::optional<ExpressionId> ArgumentGiven(const LogAnalysis& analysis, const CodeSite& callee,
                                          const CodeSite& caller, const Expression& local);

// What the caller's instruction hands in for `local`, the `*arguments` of the callee.
std::vector<ExpressionId> ArgumentsCollected(const LogAnalysis& analysis, const CodeSite& callee,
                                             const CodeSite& caller, const Expression& local);

bool IsSelfName(std::string_view name);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_CALL_ARGUMENT_H_
