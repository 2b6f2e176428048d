// RenderHtml: the report as one page for a browser, without scripts and with nothing to load. Both
// sides of a race stand beside each other, the innermost frame first and open at its source.
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "race/html_style.h"
#include "race/race_report.h"
#include "race/report_parts.h"

namespace fthreadprof {
namespace {

// Nothing but the style sheet in the page may take effect, whatever a name contains.
constexpr char kHead[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>fthreadprof: data races</title>\n<style>";

std::string Element(const char* tag, const std::string& css_class, const std::string& html) {
  if (css_class.empty()) return absl::StrCat("<", tag, ">", html, "</", tag, ">");
  return absl::StrCat("<", tag, " class=\"", css_class, "\">", html, "</", tag, ">");
}

std::string Code(const std::string& text) { return Element("code", "", EscapeMarkup(text)); }

std::string Sentence(const std::string& text) { return RenderSpans(text, EscapeMarkup, Code); }

std::string Badge(const std::string& css_class, const std::string& word) {
  return Element("span", absl::StrCat("badge ", css_class), word);
}

std::string Excerpt(const RaceFrame& frame) {
  std::string lines;
  uint32_t number = frame.excerpt.first_line;
  for (const std::string& line : frame.excerpt.lines) {
    const std::string text = absl::StrCat("<i>", number, "</i>", EscapeMarkup(line));
    lines += Element("span", number == frame.line ? "hit" : "", text);
    ++number;
  }
  return Element("pre", "", lines);
}

// Of a file of Python's own or of a package without the long way to it, which a pointer shows.
std::string Place(const RaceReport& report, const RaceFrame* frame) {
  const std::string whole = PlaceText(report, frame);
  const size_t library = whole.rfind("/lib/python3.");
  if (library == std::string::npos) return Element("span", "place", EscapeMarkup(whole));
  return absl::StrCat("<span class=\"place\" title=\"", EscapeMarkup(whole), "\">",
                      EscapeMarkup(whole.substr(library + 1)), "</span>");
}

std::string FrameLine(const RaceReport& report, const RaceFrame& frame) {
  return absl::StrCat(Element("span", "function", EscapeMarkup(frame.function)), " ",
                      Place(report, &frame));
}

// With its source folded below it, if there is any.
std::string Frame(const RaceReport& report, const RaceFrame& frame, bool is_open) {
  const std::string line = FrameLine(report, frame);
  if (!frame.excerpt.lines.empty()) {
    return absl::StrCat(is_open ? "<details open>" : "<details>", Element("summary", "", line),
                        Excerpt(frame), "</details>\n");
  }
  const std::string source = frame.source.empty() ? "" : absl::StrCat("<br>", Code(frame.source));
  return Element("div", "frame", line + source) + "\n";
}

std::string Stack(const RaceReport& report, const RaceStack& stack) {
  if (stack.empty()) return Element("div", "frame soft", "no Python frames") + "\n";
  const RaceFrame* shown = ShownFrame(report, stack);
  std::vector<FrameRun> runs = RunsOf(stack);
  std::ranges::reverse(runs);
  std::string html;
  for (size_t i = 0; i < runs.size(); ++i) {
    const bool is_open = i == 0 || (shown != nullptr && *runs[i].frame == *shown);
    for (size_t n = 0; n < runs[i].shown; ++n) {
      html += Frame(report, *runs[i].frame, is_open && n == 0);
    }
    if (runs[i].more > 0) {
      html +=
          Element("div", "frame soft", absl::StrCat("and ", Plural(runs[i].more, "time"), " more"));
    }
  }
  return html;
}

std::string Created(const RaceReport& report, const RaceStack& created) {
  if (created.empty()) return "";
  return absl::StrCat("<details class=\"created\"><summary>This thread was started at ",
                      Place(report, ShownFrame(report, created)), "</summary>\n",
                      Stack(report, created), "</details>\n");
}

std::string Side(const RaceReport& report, const RaceAccess& access, const char* when) {
  const char* operation = access.is_write ? "write" : "read";
  return absl::StrCat(
      "<section class=\"side\">\n<h3>", Badge(operation, operation), " ",
      Sentence(AccessText(access)), "</h3>\n",
      Element("p", "soft",
              absl::StrCat(when, ", by ", Sentence(ThreadText(access.thread)), ", ",
                           Sentence(LocksText(access)), "; most recent call first")),
      "\n", Stack(report, access.stack), Created(report, access.thread.created), "</section>\n");
}

std::string Tests(const Race& race) {
  const std::string sentence = TestsText(race);
  return sentence.empty() ? "" : Element("p", "", Sentence(sentence));
}

std::string Article(const RaceReport& report, const Race& race) {
  const std::string severity(SeverityName(race.severity));
  return absl::StrCat(
      "<article id=\"", EscapeMarkup(race.id), "\">\n<header class=\"race\">",
      Badge(severity, severity), "<h2>", std::string(RaceKindName(race.kind)), ": ",
      Code(race.object.name), "</h2></header>\n", Element("p", "", Sentence(race.message)),
      Tests(race), "\n<div class=\"sides\">\n", Side(report, race.accesses[0], "Earlier"),
      Side(report, race.accesses[1], "Later"), "</div>\n",
      Element("p", "advice", absl::StrCat("<b>What to do:</b> ", Sentence(race.advice))),
      Element("footer", "soft", absl::StrCat(SeenText(report, race), "; id ", Code(race.id))),
      "\n</article>\n");
}

std::string Row(const RaceReport& report, const Race& race) {
  const std::string severity(SeverityName(race.severity));
  const std::string link = absl::StrCat("<a href=\"#", EscapeMarkup(race.id), "\">",
                                        EscapeMarkup(race.object.name), "</a>");
  return absl::StrCat("<tr><td>", Badge(severity, severity), "</td><td>",
                      std::string(RaceKindName(race.kind)), "</td><td>", link, "</td><td>",
                      Place(report, ShownFrame(report, race)), "</td><td class=\"number\">",
                      race.count, "</td></tr>\n");
}

std::string Table(const RaceReport& report) {
  if (report.races.empty()) return "";
  std::string table =
      "<table>\n<tr><th>severity</th><th>kind</th><th>object</th><th>place</th>"
      "<th class=\"number\">seen</th></tr>\n";
  for (const Race& race : report.races) table += Row(report, race);
  return table + "</table>\n";
}

std::string Notices(const RaceReport& report) {
  std::string paragraphs;
  for (const std::string& notice : report.notices) paragraphs += Element("p", "", Sentence(notice));
  return paragraphs.empty() ? "" : Element("div", "notices", paragraphs) + "\n";
}

std::string Again(const RaceReport& report) {
  if (report.reproduce.empty()) return "";
  return absl::StrCat("<p class=\"soft\">The same perturbations again: ", Code(report.reproduce),
                      "</p>\n");
}

}  // namespace

std::string RenderHtml(const RaceReport& report, int exit_status) {
  std::string html = absl::StrCat(
      kHead, kHtmlStyle, "</style>\n</head>\n<body>\n<h1>Data races</h1>\n",
      Element("p", "soft",
              absl::StrCat("fthreadprof: ", SumsText(report), ", exit status ", exit_status)),
      "\n", Notices(report), Again(report), Table(report), "<main>\n");
  for (const Race& race : report.races) html += Article(report, race);
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace fthreadprof
