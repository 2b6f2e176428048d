// RenderMarkdown: the report in GitHub's and GitLab's Markdown, as a comment on a pull request: a
// table of all races, and each race folded below it.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "race/plain_text.h"
#include "race/race_report.h"
#include "race/report_parts.h"

namespace fthreadprof {
namespace {

// GitHub refuses a comment of more than 65,536 characters.
constexpr size_t kMaxSize = 60000;
constexpr size_t kMaxRows = 100;
constexpr size_t kMaxName = 200;

// A character that could begin markup is escaped; "@" gets a zero-width space, or it would notify
// somebody.
std::string Plain(const std::string& text) {
  std::string out;
  for (const char c : EscapeMarkup(text)) {
    if (std::string_view("\\`*_{}[]()#+-!|~").find(c) != std::string_view::npos) out += '\\';
    out += c;
    if (c == '@') out += "\u200B";
  }
  // The escaping above also met the entities' "#".
  return absl::StrReplaceAll(out, {{"&\\#39;", "&#39;"}});
}

// HTML, since a code span of Markdown could be ended by what is in it.
std::string CodeSpan(const std::string& text) {
  const std::string cut =
      text.size() <= kMaxName ? text : absl::StrCat(text.substr(0, kMaxName), "...");
  // Markdown is still looked for between tags.
  return absl::StrCat("<code>", Plain(cut), "</code>");
}

std::string WithCode(const std::string& text) { return RenderSpans(text, Plain, CodeSpan); }

// A fence that is longer than all in the text.
std::string CodeBlock(const std::string& text) {
  size_t longest = 0, run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(std::max<size_t>(longest + 1, 3), '`');
  std::string out = absl::StrCat(fence, "text\n");
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    absl::StrAppend(&out, PrintableText(rest.substr(0, end)), "\n");
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return absl::StrCat(out, fence, "\n");
}

std::string TableRow(const RaceReport& report, const Race& race) {
  const RaceFrame* frame = ShownFrame(report, race);
  return absl::StrCat("| ", std::string(SeverityName(race.severity)), " | ",
                      std::string(RaceKindName(race.kind)), " | ", CodeSpan(race.object.name),
                      " | ", frame == nullptr ? "" : CodeSpan(PlaceText(report, frame)), " | ",
                      race.count, " |\n");
}

std::string RaceTable(const RaceReport& report) {
  if (report.races.empty()) return "";
  std::string table = "\n| severity | kind | object | place | seen |\n|---|---|---|---|---:|\n";
  const size_t shown = std::min(report.races.size(), kMaxRows);
  for (size_t i = 0; i < shown; ++i) table += TableRow(report, report.races[i]);
  if (shown < report.races.size()) {
    absl::StrAppend(&table, "\nand ", report.races.size() - shown, " more.\n");
  }
  return table;
}

std::string Details(const RaceReport& report, const Race& race) {
  const std::string stacks(absl::StripPrefix(RenderRaceStacks(race), "\n"));
  const std::string tests = TestsText(race);
  return absl::StrCat("\n<details><summary>", std::string(SeverityName(race.severity)), " <b>",
                      std::string(RaceKindName(race.kind)), "</b>: ", CodeSpan(race.object.name),
                      "</summary>\n\n", WithCode(race.message), tests.empty() ? "" : " ",
                      WithCode(tests), "\n\n", CodeBlock(stacks), "\n**What to do:** ",
                      WithCode(race.advice), "\n\n", SeenText(report, race), "; id ",
                      CodeSpan(race.id), "\n\n</details>\n");
}

}  // namespace

std::string RenderMarkdown(const RaceReport& report, int exit_status) {
  std::string out = absl::StrCat("### fthreadprof: ", SumsText(report), "\n", RaceTable(report));
  size_t left_out = 0;
  for (const Race& race : report.races) {
    const std::string details = Details(report, race);
    if (out.size() + details.size() > kMaxSize) {
      ++left_out;
    } else {
      out += details;
    }
  }
  if (left_out > 0) {
    absl::StrAppend(&out, "\nThe stacks of ", Plural(left_out, "race"),
                    " are left out, since a comment has room for 65,536 characters; the other "
                    "formats have them.\n");
  }
  if (!report.notices.empty()) out += "\n";
  for (const std::string& notice : report.notices)
    absl::StrAppend(&out, "- ", WithCode(notice), "\n");
  if (!report.reproduce.empty()) {
    absl::StrAppend(&out, "\nThe same perturbations again:\n\n", CodeBlock(report.reproduce));
  }
  return absl::StrCat(out, "\nExit status ", exit_status, ".\n");
}

}  // namespace fthreadprof
