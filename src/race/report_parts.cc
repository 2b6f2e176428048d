#include "race/report_parts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "race/left_out_report.h"
#include "race/plain_text.h"

namespace fthreadprof {
namespace {

constexpr size_t kRepeatsShown = 3;

bool IsBelow(std::string_view directory, std::string_view file) {
  return !directory.empty() && file.starts_with(directory) && file.size() > directory.size() &&
         (directory.ends_with('/') || file[directory.size()] == '/');
}

// A virtual environment may be below the working directory: its packages are not what is worked on.
bool IsInProject(const RaceReport& report, const RaceFrame& frame) {
  if (!IsInFile(frame) || frame.file.find("/site-packages/") != std::string::npos) return false;
  return !frame.file.starts_with('/') || IsBelow(report.working_directory, frame.file);
}

}  // namespace

std::string Plural(uint64_t count, const std::string& noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

std::string SumsText(const RaceReport& report) {
  std::vector<std::string> sums;
  for (const Severity severity : {Severity::kError, Severity::kWarning, Severity::kNote}) {
    const size_t count = report.CountOf(severity);
    if (count > 0) sums.push_back(Plural(count, std::string(SeverityName(severity))));
  }
  std::string text = Plural(report.races.size(), "race");
  if (!sums.empty()) absl::StrAppend(&text, " (", absl::StrJoin(sums, ", "), ")");
  return absl::StrCat(text, SumsOfLeftOut(report.left_out));
}

std::string SeenText(const RaceReport& report, const Race& race) {
  const std::string text = absl::StrCat("Seen ", Plural(race.count, "time"));
  if (report.runs <= 1) return text;
  return absl::StrCat(text, ", in ", race.runs, " of ", report.runs, " runs");
}

std::string ThreadText(const RaceThread& thread) {
  const std::string name =
      thread.name.empty() ? "an unnamed thread" : absl::StrCat("thread \"", thread.name, "\"");
  return thread.id == 0 ? name : absl::StrCat(name, " (", thread.id, ")");
}

std::string AccessText(const RaceAccess& access) {
  std::string what = access.what;
  // `append()` is no word to begin with a capital.
  const size_t word = what.find_first_of(" (");
  if (word != std::string::npos && what[word] == ' ') what[0] = absl::ascii_toupper(what[0]);
  return what;
}

std::string LocksText(const RaceAccess& access) {
  if (access.locks_held.empty()) return "no locks held";
  return absl::StrCat("holding `", absl::StrJoin(access.locks_held, "`, `"), "`");
}

std::string TestsText(const Race& race) {
  const std::string& earlier = race.accesses[0].test;
  const std::string& later = race.accesses[1].test;
  if (earlier.empty() && later.empty()) return "";
  if (earlier == later) return absl::StrCat("In test `", later, "`.");
  if (later.empty()) return absl::StrCat("The earlier access is in test `", earlier, "`.");
  if (earlier.empty()) return absl::StrCat("The later access is in test `", later, "`.");
  return absl::StrCat("The earlier access is in test `", earlier, "`, the later one in `", later,
                      "`.");
}

std::string_view KindMeaning(RaceKind kind) {
  switch (kind) {
    case RaceKind::kLostUpdate:
      return "One side reads a variable and writes back a value made from what it read, while the "
             "other side writes it: one of the updates is lost.";
    case RaceKind::kCheckThenAct:
      return "One side tests a variable or container and changes it on that outcome, while the "
             "other side writes it: what was tested need no longer hold.";
    case RaceKind::kIteration:
      return "One side iterates, while the other adds or removes elements.";
    case RaceKind::kUnsafe:
      return "One side does an operation that CPython documents as not atomic, while the other "
             "uses the object.";
    case RaceKind::kDataRace:
      return "One side writes what the other reads or writes, and nothing orders them.";
    case RaceKind::kOrdering:
      break;
  }
  return "Both sides change a container by atomic operations; only their order is open.";
}

std::string_view KindFix(RaceKind kind) {
  switch (kind) {
    case RaceKind::kLostUpdate:
    case RaceKind::kCheckThenAct:
      return "Hold one lock from the read to the write, in every place that writes.";
    case RaceKind::kIteration:
      return "Hold one lock around the loop and around every change, or iterate over a copy that "
             "was made under the lock.";
    case RaceKind::kUnsafe:
      return "Hold one lock around the operation and around every other use.";
    case RaceKind::kDataRace:
      return "Hold one lock around both accesses, or hand the value over by a queue or an event.";
    case RaceKind::kOrdering:
      break;
  }
  return "Nothing, if any order will do; else hold one lock, or change it in one thread only.";
}

std::vector<FrameRun> RunsOf(const RaceStack& stack) {
  std::vector<FrameRun> runs;
  for (size_t i = 0; i < stack.size();) {
    size_t same = 1;
    while (i + same < stack.size() && stack[i + same] == stack[i]) ++same;
    const size_t shown = std::min(same, kRepeatsShown);
    runs.push_back({&stack[i + same - 1], shown, same - shown});
    i += same;
  }
  return runs;
}

bool IsInFile(const RaceFrame& frame) {
  return !frame.file.empty() && frame.file != "?" && !frame.file.starts_with('<');
}

std::string PathBelow(std::string_view directory, const std::string& file) {
  if (!IsBelow(directory, file)) return file;
  return file.substr(directory.size() + (directory.ends_with('/') ? 0 : 1));
}

const RaceFrame* ShownFrame(const RaceReport& report, const RaceStack& stack) {
  const auto in_project = std::find_if(stack.rbegin(), stack.rend(),
                                       [&](const RaceFrame& f) { return IsInProject(report, f); });
  if (in_project != stack.rend()) return &*in_project;
  const auto in_file = std::find_if(stack.rbegin(), stack.rend(), IsInFile);
  return in_file == stack.rend() ? nullptr : &*in_file;
}

const RaceFrame* ShownFrame(const RaceReport& report, const Race& race) {
  const RaceFrame* later = ShownFrame(report, race.accesses[1].stack);
  return later != nullptr ? later : ShownFrame(report, race.accesses[0].stack);
}

std::string PlaceText(const RaceReport& report, const RaceFrame* frame) {
  if (frame == nullptr) return "";
  return absl::StrCat(PathBelow(report.working_directory, frame->file), ":",
                      frame->line == 0 ? "?" : absl::StrCat(frame->line));
}

std::string EscapeMarkup(std::string_view text) {
  return absl::StrReplaceAll(PrintableText(text), {{"&", "&amp;"},
                                                   {"<", "&lt;"},
                                                   {">", "&gt;"},
                                                   {"\"", "&quot;"},
                                                   {"'", "&#39;"},
                                                   {"\uFFFE", "\uFFFD"},
                                                   {"\uFFFF", "\uFFFD"}});
}

std::string RenderSpans(const std::string& text,
                        const std::function<std::string(const std::string&)>& plain,
                        const std::function<std::string(const std::string&)>& code) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t open = text.find('`', at);
    const size_t close = open == std::string::npos ? open : text.find('`', open + 1);
    if (close == std::string::npos) return out + plain(text.substr(at));
    out += plain(text.substr(at, open - at));
    out += close == open + 1 ? plain("``") : code(text.substr(open + 1, close - open - 1));
    at = close + 1;
  }
  return out;
}

}  // namespace fthreadprof
