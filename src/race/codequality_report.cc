// RenderCodeQuality: a report that GitLab shows in merge requests, a JSON array in the part of Code
// Climate's format that GitLab reads.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "race/race_report.h"
#include "race/report_parts.h"

namespace fthreadprof {
namespace {

using nlohmann::ordered_json;

const char* GitLabSeverity(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "info";
    case Severity::kWarning:
      return "major";
    case Severity::kError:
      break;
  }
  return "critical";
}

ordered_json Issue(const RaceReport& report, const Race& race) {
  const RaceFrame* frame = ShownFrame(report, race);
  // GitLab takes no issue without a path and a line.
  const std::string path =
      frame == nullptr ? "unknown" : PathBelow(report.working_directory, frame->file);
  const uint32_t line = frame == nullptr ? 1 : std::max<uint32_t>(frame->line, 1);
  std::string description = absl::StrCat(race.message, " ", race.advice);
  if (const std::string tests = TestsText(race); !tests.empty()) {
    absl::StrAppend(&description, " ", tests);
  }
  return {{"description", std::move(description)},
          {"check_name", RaceKindName(race.kind)},
          {"fingerprint", race.id},
          {"severity", GitLabSeverity(race.severity)},
          {"location", {{"path", path}, {"lines", {{"begin", line}}}}}};
}

}  // namespace

std::string RenderCodeQuality(const RaceReport& report, int /*exit_status*/) {
  ordered_json issues = ordered_json::array();
  for (const Race& race : report.races) issues.push_back(Issue(report, race));
  return issues.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace fthreadprof
