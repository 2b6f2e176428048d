// What the reports say of the races that a RaceFilter left out.
//
// Thread safety: pure functions.
#ifndef FTHREADPROF_RACE_LEFT_OUT_REPORT_H_
#define FTHREADPROF_RACE_LEFT_OUT_REPORT_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "race/race_report.h"

namespace fthreadprof {

// Paragraphs on the rules that were used, those that were not, and what the baseline has in vain;
// nothing when there is none of them.
void AppendLeftOut(const LeftOut& left_out, std::string& out);
// For the last line: ", 3 suppressed (2 by rules, 1 in the baseline)", or "".
std::string SumsOfLeftOut(const LeftOut& left_out);
// "suppressed", "suppressions" and "gone" of schema "fthreadprof.race/1".
void AppendLeftOut(const LeftOut& left_out, nlohmann::ordered_json& report);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_LEFT_OUT_REPORT_H_
