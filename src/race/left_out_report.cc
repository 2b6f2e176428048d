#include "race/left_out_report.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace fthreadprof {
namespace {

using nlohmann::ordered_json;
using Rule = LeftOut::Rule;

bool WasUsed(const Rule& rule) { return rule.hits > 0; }

ordered_json PlacesOf(const KnownRace& race) {
  ordered_json places = ordered_json::array();
  for (const RacePlace& place : race.places) {
    places.push_back({{"file", place.file}, {"function", place.function}});
  }
  return places;
}

void AppendUsed(const LeftOut& left_out, std::string& out) {
  if (std::ranges::none_of(left_out.rules, WasUsed)) return;
  out += "fthreadprof: suppressions that were used, with the races that each left out:\n";
  for (const Rule& rule : left_out.rules) {
    if (!WasUsed(rule)) continue;
    absl::StrAppendFormat(&out, "  %4d  %s [%s] %s\n", rule.hits, rule.source, rule.name,
                          rule.reason);
  }
}

// A rule that has expired is told of by a notice.
void AppendUnused(const LeftOut& left_out, std::string& out) {
  const auto is_idle = [](const Rule& rule) { return !WasUsed(rule) && !rule.expired; };
  if (std::ranges::none_of(left_out.rules, is_idle)) return;
  out += "fthreadprof: suppressions that were not used:\n";
  for (const Rule& rule : left_out.rules) {
    if (is_idle(rule)) absl::StrAppend(&out, "  ", rule.source, " [", rule.name, "]\n");
  }
}

}  // namespace

void AppendLeftOut(const LeftOut& left_out, std::string& out) {
  AppendUsed(left_out, out);
  AppendUnused(left_out, out);
  if (left_out.gone.empty()) return;
  out += "fthreadprof: races of the baseline that did not occur in this run:\n";
  for (const KnownRace& race : left_out.gone) {
    absl::StrAppend(&out, "  ", std::string(RaceKindName(race.kind)), " ", race.object, " in ",
                    race.places[0].function, " and ", race.places[1].function, ", id ", race.id,
                    "\n");
  }
}

std::string SumsOfLeftOut(const LeftOut& left_out) {
  if (left_out.total() == 0) return "";
  std::vector<std::string> parts;
  const auto add = [&](uint64_t count, const char* what) {
    if (count > 0) parts.push_back(absl::StrCat(count, what));
  };
  add(left_out.by_rule, left_out.by_rule == 1 ? " by a rule" : " by rules");
  add(left_out.in_baseline, " in the baseline");
  add(left_out.not_own, left_out.not_own == 1 ? " outside of your code: --include '*' shows it"
                                              : " outside of your code: --include '*' shows them");
  return absl::StrCat(", ", left_out.total(), " suppressed (", absl::StrJoin(parts, ", "), ")");
}

void AppendLeftOut(const LeftOut& left_out, ordered_json& report) {
  report["suppressed"] = {{"by_rule", left_out.by_rule},
                          {"in_baseline", left_out.in_baseline},
                          {"outside_own_code", left_out.not_own}};
  report["suppressions"] = ordered_json::array();
  for (const Rule& rule : left_out.rules) {
    report["suppressions"].push_back({{"rule", rule.name},
                                      {"source", rule.source},
                                      {"reason", rule.reason},
                                      {"hits", rule.hits},
                                      {"expired", rule.expired}});
  }
  report["gone"] = ordered_json::array();
  for (const KnownRace& race : left_out.gone) {
    report["gone"].push_back({{"id", race.id},
                              {"kind", RaceKindName(race.kind)},
                              {"object", race.object},
                              {"places", PlacesOf(race)}});
  }
}

}  // namespace fthreadprof
