// RenderText: the report for people, close to what TSan and CPython's tracebacks look like.
#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "race/left_out_report.h"
#include "race/race_report.h"
#include "race/report_parts.h"

namespace fthreadprof {
namespace {

constexpr size_t kColumns = 80;  // of pytest's headings where there is no terminal
constexpr char kRule[] = "==================================================================\n";

void AppendFrame(const RaceFrame& frame, const char* indent, std::string& out) {
  absl::StrAppend(&out, indent, "File \"", frame.file, "\", line ",
                  frame.line == 0 ? "?" : absl::StrCat(frame.line), ", in ", frame.function, "\n");
  if (!frame.source.empty()) absl::StrAppend(&out, indent, "  ", frame.source, "\n");
}

void AppendStack(const RaceStack& stack, const char* indent, std::string& out) {
  if (stack.empty()) absl::StrAppend(&out, indent, "(no Python frames)\n");
  for (const FrameRun& run : RunsOf(stack)) {
    for (size_t i = 0; i < run.shown; ++i) AppendFrame(*run.frame, indent, out);
    if (run.more > 0) {
      absl::StrAppend(&out, indent, "[Previous line repeated ", Plural(run.more, "more time"),
                      "]\n");
    }
  }
}

void AppendAccess(const RaceAccess& access, std::string& out) {
  absl::StrAppend(&out, "\n  ", AccessText(access), " by ", ThreadText(access.thread), ", ",
                  LocksText(access), ", most recent call last:\n");
  AppendStack(access.stack, "    ", out);
}

void AppendCreation(const Race& race, std::string& out) {
  const RaceThread& first = race.accesses[0].thread;
  const RaceThread& second = race.accesses[1].thread;
  if (!first.created.empty() && first.created == second.created) {
    absl::StrAppend(&out, "\n  Both threads were started at:\n");
    AppendStack(first.created, "    ", out);
    return;
  }
  for (const RaceThread* thread : {&first, &second}) {
    if (thread->created.empty()) continue;
    std::string name = ThreadText(*thread);
    name[0] = absl::ascii_toupper(name[0]);
    absl::StrAppend(&out, "\n  ", name, " was started at:\n");
    AppendStack(thread->created, "    ", out);
  }
}

std::string Indented(const std::string& sentence) {
  return sentence.empty() ? "" : absl::StrCat("  ", sentence, "\n");
}

// A heading of pytest's kind.
std::string Heading(const std::string& title) {
  const size_t rest = kColumns - title.size() - 2;
  return absl::StrCat(std::string(rest / 2, '='), " ", title, " ",
                      std::string(rest - rest / 2, '='), "\n");
}

void AppendRace(const RaceReport& report, const Race& race, std::string& out) {
  absl::StrAppend(&out, kRule, absl::AsciiStrToUpper(std::string(SeverityName(race.severity))), " ",
                  std::string(RaceKindName(race.kind)), ": ", race.object.name, "\n  ",
                  race.message, "\n", Indented(TestsText(race)), RenderRaceStacks(race),
                  "\n  What to do: ", race.advice, "\n  ", SeenText(report, race), "; id ", race.id,
                  "\n");
}

}  // namespace

std::string RenderRaceStacks(const Race& race) {
  std::string out;
  for (const RaceAccess& access : race.accesses) AppendAccess(access, out);
  AppendCreation(race, out);
  return out;
}

std::string RenderTestSummary(const RaceReport& report) {
  if (std::ranges::none_of(report.races, [](const Race& race) { return race.test.has_value(); })) {
    return "";
  }
  std::string out = Heading("short race summary");
  for (const Race& race : report.races) {
    const std::string place = PlaceText(report, ShownFrame(report, race));
    absl::StrAppend(&out, absl::AsciiStrToUpper(std::string(SeverityName(race.severity))), " ",
                    race.test.value_or("outside of tests"), " - ",
                    std::string(RaceKindName(race.kind)), ": ", race.object.name,
                    place.empty() ? "" : absl::StrCat(" (", place, ")"), "\n");
  }
  return out;
}

std::string RenderReproduce(const RaceReport& report) {
  if (report.reproduce.empty()) return "";
  return absl::StrCat("fthreadprof: the same perturbations again: ", report.reproduce, "\n");
}

std::string RenderText(const RaceReport& report, int exit_status) {
  std::string out;
  for (const Race& race : report.races) AppendRace(report, race, out);
  if (!report.races.empty()) out += kRule;
  for (const std::string& notice : report.notices) {
    absl::StrAppend(&out, "fthreadprof: ", notice, "\n");
  }
  AppendLeftOut(report.left_out, out);
  out += RenderTestSummary(report);
  out += RenderReproduce(report);
  absl::StrAppend(&out, "fthreadprof: ", SumsText(report), ", exit status ", exit_status, "\n");
  return out;
}

}  // namespace fthreadprof
