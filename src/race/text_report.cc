// RenderText: the report for people, close to what TSan and CPython's tracebacks look like.
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "race/left_out_report.h"
#include "race/race_report.h"

namespace fthreadprof {
namespace {

constexpr char kRule[] = "==================================================================\n";
// As CPython's traceback does, a call that repeats is written three times.
constexpr size_t kRepeatsShown = 3;

std::string Plural(uint64_t count, const std::string& noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

std::string ThreadName(const RaceThread& thread) {
  const std::string name =
      thread.name.empty() ? "an unnamed thread" : absl::StrCat("thread \"", thread.name, "\"");
  return thread.id == 0 ? name : absl::StrCat(name, " (", thread.id, ")");
}

std::string Locks(const RaceAccess& access) {
  if (access.locks_held.empty()) return "no locks held";
  return absl::StrCat("holding `", absl::StrJoin(access.locks_held, "`, `"), "`");
}

void AppendFrame(const RaceFrame& frame, const char* indent, std::string& out) {
  absl::StrAppend(&out, indent, "File \"", frame.file, "\", line ",
                  frame.line == 0 ? "?" : absl::StrCat(frame.line), ", in ", frame.function, "\n");
  if (!frame.source.empty()) absl::StrAppend(&out, indent, "  ", frame.source, "\n");
}

void AppendStack(const RaceStack& stack, const char* indent, std::string& out) {
  if (stack.empty()) absl::StrAppend(&out, indent, "(no Python frames)\n");
  for (size_t i = 0; i < stack.size();) {
    size_t same = 1;
    while (i + same < stack.size() && stack[i + same] == stack[i]) ++same;
    for (size_t shown = 0; shown < std::min(same, kRepeatsShown); ++shown) {
      AppendFrame(stack[i], indent, out);
    }
    if (same > kRepeatsShown) {
      absl::StrAppend(&out, indent, "[Previous line repeated ",
                      Plural(same - kRepeatsShown, "more time"), "]\n");
    }
    i += same;
  }
}

void AppendAccess(const RaceAccess& access, std::string& out) {
  std::string what = access.what;
  // `append()` is no word to begin with a capital.
  const size_t word = what.find_first_of(" (");
  if (word != std::string::npos && what[word] == ' ') what[0] = absl::ascii_toupper(what[0]);
  absl::StrAppend(&out, "\n  ", what, " by ", ThreadName(access.thread), ", ", Locks(access),
                  ", most recent call last:\n");
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
    std::string name = ThreadName(*thread);
    name[0] = absl::ascii_toupper(name[0]);
    absl::StrAppend(&out, "\n  ", name, " was started at:\n");
    AppendStack(thread->created, "    ", out);
  }
}

void AppendRace(const Race& race, std::string& out) {
  absl::StrAppend(&out, kRule, absl::AsciiStrToUpper(std::string(SeverityName(race.severity))), " ",
                  std::string(RaceKindName(race.kind)), ": ", race.object.name, "\n  ",
                  race.message, "\n");
  for (const RaceAccess& access : race.accesses) AppendAccess(access, out);
  AppendCreation(race, out);
  absl::StrAppend(&out, "\n  What to do: ", race.advice, "\n  Seen ", Plural(race.count, "time"),
                  "; id ", race.id, "\n");
}

}  // namespace

std::string RenderText(const RaceReport& report, int exit_status) {
  std::string out;
  for (const Race& race : report.races) AppendRace(race, out);
  if (!report.races.empty()) out += kRule;
  for (const std::string& notice : report.notices) {
    absl::StrAppend(&out, "fthreadprof: ", notice, "\n");
  }
  AppendLeftOut(report.left_out, out);
  std::vector<std::string> sums;
  for (const Severity severity : {Severity::kError, Severity::kWarning, Severity::kNote}) {
    const size_t count = report.CountOf(severity);
    if (count > 0) sums.push_back(Plural(count, std::string(SeverityName(severity))));
  }
  absl::StrAppend(&out, "fthreadprof: ", Plural(report.races.size(), "race"));
  if (!sums.empty()) absl::StrAppend(&out, " (", absl::StrJoin(sums, ", "), ")");
  absl::StrAppend(&out, SumsOfLeftOut(report.left_out));
  absl::StrAppend(&out, ", exit status ", exit_status, "\n");
  return out;
}

}  // namespace fthreadprof
