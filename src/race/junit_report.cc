// RenderJunit: JUnit XML as CI systems read it. Each race is a test case: errors and warnings
// failed, notes passed.
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "race/race_report.h"
#include "race/report_parts.h"

namespace fthreadprof {
namespace {

// Of several lines.
std::string EscapeText(const std::string& text) {
  return absl::StrJoin(
      std::vector<std::string>(absl::StrSplit(text, '\n')), "\n",
      [](std::string* out, const std::string& line) { *out += EscapeMarkup(line); });
}

std::string Attribute(const char* name, std::string_view value) {
  return absl::StrCat(" ", name, "=\"", EscapeMarkup(value), "\"");
}

std::string PlaceAttributes(const RaceReport& report, const RaceFrame* frame) {
  if (frame == nullptr) return "";
  return absl::StrCat(Attribute("file", PathBelow(report.working_directory, frame->file)),
                      Attribute("line", absl::StrCat(frame->line)));
}

std::string Line(const std::string& text) { return text.empty() ? "" : text + "\n"; }

std::string TestCase(const RaceReport& report, const Race& race) {
  const std::string name = absl::StrCat(std::string(RaceKindName(race.kind)), ": ",
                                        race.object.name, " (", race.id, ")");
  const std::string text = EscapeText(absl::StrCat(
      race.message, "\n", Line(TestsText(race)), RenderRaceStacks(race),
      "\nWhat to do: ", race.advice, "\n", SeenText(report, race), "\n", RenderReproduce(report)));
  std::string body;
  if (race.severity == Severity::kNote) {
    body = absl::StrCat("      <system-out>", text, "</system-out>\n");
  } else {
    body = absl::StrCat("      <failure", Attribute("message", race.message),
                        Attribute("type", RaceKindName(race.kind)), ">", text, "</failure>\n");
  }
  return absl::StrCat("    <testcase", Attribute("classname", "fthreadprof.race"),
                      Attribute("name", name), PlaceAttributes(report, ShownFrame(report, race)),
                      " time=\"0\">\n", body, "    </testcase>\n");
}

}  // namespace

std::string RenderJunit(const RaceReport& report, int exit_status) {
  std::string cases;
  for (const Race& race : report.races) cases += TestCase(report, race);
  // Some readers take a report without a test case for a run that failed.
  if (report.races.empty()) {
    cases = "    <testcase classname=\"fthreadprof.race\" name=\"no races\" time=\"0\"/>\n";
  }
  const std::string counts = absl::StrCat(
      " tests=\"", report.races.empty() ? 1 : report.races.size(), "\" failures=\"",
      report.CountAtLeast(Severity::kWarning), "\" errors=\"0\" skipped=\"0\" time=\"0\"");
  std::vector<std::string> lines = report.notices;
  lines.push_back(absl::StrCat(SumsText(report), ", exit status ", exit_status));
  return absl::StrCat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"fthreadprof\"", counts,
      ">\n  <testsuite name=\"fthreadprof race\"", counts, ">\n", cases, "    <system-out>",
      EscapeText(absl::StrJoin(lines, "\n")), "</system-out>\n  </testsuite>\n</testsuites>\n");
}

}  // namespace fthreadprof
