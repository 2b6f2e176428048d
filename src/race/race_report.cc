#include "race/race_report.h"

#include <algorithm>
#include <memory>

#include "base/status_macros.h"
#include "race/race_log_reader.h"
#include "race/report_builder.h"

namespace fthreadprof {

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      break;
  }
  return "error";
}

std::optional<Severity> ParseSeverity(std::string_view name) {
  for (const Severity severity : {Severity::kNote, Severity::kWarning, Severity::kError}) {
    if (SeverityName(severity) == name) return severity;
  }
  return std::nullopt;
}

std::string_view RaceKindName(RaceKind kind) {
  switch (kind) {
    case RaceKind::kLostUpdate:
      return "lost-update";
    case RaceKind::kCheckThenAct:
      return "check-then-act";
    case RaceKind::kIteration:
      return "iteration";
    case RaceKind::kUnsafe:
      return "unsafe";
    case RaceKind::kDataRace:
      return "data-race";
    case RaceKind::kOrdering:
      break;
  }
  return "ordering";
}

std::optional<RaceKind> ParseRaceKind(std::string_view name) {
  for (const RaceKind kind : {RaceKind::kLostUpdate, RaceKind::kCheckThenAct, RaceKind::kIteration,
                              RaceKind::kUnsafe, RaceKind::kDataRace, RaceKind::kOrdering}) {
    if (RaceKindName(kind) == name) return kind;
  }
  return std::nullopt;
}

Severity SeverityOf(RaceKind kind) {
  switch (kind) {
    case RaceKind::kOrdering:
      return Severity::kNote;
    case RaceKind::kDataRace:
      return Severity::kWarning;
    default:
      return Severity::kError;
  }
}

size_t RaceReport::CountOf(Severity severity) const {
  return static_cast<size_t>(std::ranges::count(races, severity, &Race::severity));
}

size_t RaceReport::CountAtLeast(Severity severity) const {
  return static_cast<size_t>(
      std::ranges::count_if(races, [&](const Race& race) { return race.severity >= severity; }));
}

absl::StatusOr<RaceReport> ReadRaceLogs(const std::vector<std::filesystem::path>& directories,
                                        const ReportOptions& options) {
  ReportBuilder builder(options);
  for (const std::filesystem::path& directory : directories) {
    FTP_ASSIGN_OR_RETURN(const std::vector<std::unique_ptr<RaceLog>> logs,
                         ReadRaceLogFiles(directory));
    builder.BeginRun();
    for (const std::unique_ptr<RaceLog>& log : logs) builder.Add(*log);
  }
  return builder.Finish();
}

}  // namespace fthreadprof
