// RenderSarif: SARIF 2.1.0 (OASIS), for code scanning and editors. A rule is a kind of race, a
// result a race; its location is the later access, `stacks` has both accesses whole.
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "race/plain_text.h"
#include "race/race_report.h"
#include "race/report_parts.h"

namespace fthreadprof {
namespace {

using nlohmann::ordered_json;

constexpr std::array kKinds = {RaceKind::kLostUpdate, RaceKind::kCheckThenAct, RaceKind::kIteration,
                               RaceKind::kUnsafe,     RaceKind::kDataRace,     RaceKind::kOrdering};
constexpr char kRoot[] = "%SRCROOT%";
constexpr int kToolFailed = 125;

// Bytes that may not stand in the path of a URI percent-encoded.
std::string UriPath(std::string_view path) {
  std::string uri;
  for (const unsigned char byte : PrintableText(path)) {
    if (absl::ascii_isalnum(byte) || std::string_view("-._~/").find(byte) != std::string::npos) {
      uri += static_cast<char>(byte);
    } else {
      absl::StrAppendFormat(&uri, "%%%02X", byte);
    }
  }
  return uri;
}

// In a message `[text](target)` is a link: names must make none.
std::string MessageText(const std::string& text) {
  if (!absl::StrContains(text, "](")) return PrintableText(text);
  return absl::StrReplaceAll(PrintableText(text), {{"[", "\\["}, {"]", "\\]"}});
}

ordered_json Message(const std::string& text) { return {{"text", MessageText(text)}}; }

ordered_json Artifact(const RaceReport& report, const std::string& file) {
  const std::string below = PathBelow(report.working_directory, file);
  if (below.starts_with('/')) return {{"uri", absl::StrCat("file://", UriPath(below))}};
  return {{"uri", UriPath(below)}, {"uriBaseId", kRoot}};
}

ordered_json Region(const RaceFrame& frame) {
  ordered_json region = {{"startLine", frame.line}};
  if (!frame.source.empty()) region["snippet"] = {{"text", frame.source}};
  return region;
}

ordered_json Location(const RaceReport& report, const RaceFrame& frame) {
  ordered_json location = ordered_json::object();
  if (IsInFile(frame)) {
    location["physicalLocation"] = {{"artifactLocation", Artifact(report, frame.file)}};
    if (frame.line > 0) location["physicalLocation"]["region"] = Region(frame);
  }
  location["logicalLocations"] =
      ordered_json::array({{{"fullyQualifiedName", frame.function}, {"kind", "function"}}});
  return location;
}

std::string AccessSentence(const RaceAccess& access) {
  return absl::StrCat(AccessText(access), " by ", ThreadText(access.thread), ", ",
                      LocksText(access));
}

// The innermost frame first, as SARIF has it.
ordered_json Stack(const RaceReport& report, const RaceAccess& access) {
  ordered_json frames = ordered_json::array();
  for (auto frame = access.stack.rbegin(); frame != access.stack.rend(); ++frame) {
    frames.push_back({{"location", Location(report, *frame)}, {"threadId", access.thread.id}});
  }
  return {{"message", Message(AccessSentence(access))}, {"frames", std::move(frames)}};
}

ordered_json RelatedLocation(const RaceReport& report, const RaceAccess& access,
                             const RaceFrame& frame) {
  ordered_json location = {{"id", 1}};
  location.update(Location(report, frame));
  location["message"] = Message(AccessSentence(access));
  return location;
}

size_t RuleIndex(RaceKind kind) {
  return static_cast<size_t>(std::distance(kKinds.begin(), std::ranges::find(kKinds, kind)));
}

ordered_json Result(const RaceReport& report, const Race& race) {
  std::string text = MessageText(absl::StrCat(race.message, " ", race.advice));
  if (const std::string tests = TestsText(race); !tests.empty()) {
    absl::StrAppend(&text, " ", MessageText(tests));
  }
  const RaceFrame* later = ShownFrame(report, race.accesses[1].stack);
  const RaceFrame* earlier = ShownFrame(report, race.accesses[0].stack);
  const bool has_both = later != nullptr && earlier != nullptr;
  // GitHub shows a related location only where the message links to it.
  if (has_both) absl::StrAppend(&text, " The other access is [here](1).");
  ordered_json result = {{"ruleId", RaceKindName(race.kind)},
                         {"ruleIndex", RuleIndex(race.kind)},
                         {"level", SeverityName(race.severity)},
                         {"message", {{"text", std::move(text)}}}};
  if (const RaceFrame* frame = ShownFrame(report, race)) {
    result["locations"] = ordered_json::array({Location(report, *frame)});
  }
  if (has_both) {
    result["relatedLocations"] =
        ordered_json::array({RelatedLocation(report, race.accesses[0], *earlier)});
  }
  result["stacks"] =
      ordered_json::array({Stack(report, race.accesses[0]), Stack(report, race.accesses[1])});
  result["partialFingerprints"] = {{"fthreadprofRace/v1", race.id}};
  result["occurrenceCount"] = race.count;
  result["properties"] = {{"object", race.object.name}, {"type", race.object.type}};
  if (race.test) result["properties"]["test"] = *race.test;
  if (report.runs > 1) result["properties"]["seen"] = SeenText(report, race);
  return result;
}

ordered_json SarifRule(RaceKind kind) {
  return {{"id", RaceKindName(kind)},
          {"shortDescription", {{"text", KindMeaning(kind)}}},
          {"help", {{"text", KindFix(kind)}}},
          {"defaultConfiguration", {{"level", SeverityName(SeverityOf(kind))}}}};
}

ordered_json Invocation(const RaceReport& report, int exit_status) {
  ordered_json notifications = ordered_json::array();
  for (const std::string& notice : report.notices) {
    notifications.push_back({{"level", "warning"}, {"message", Message(notice)}});
  }
  ordered_json invocation = {{"executionSuccessful", exit_status != kToolFailed},
                             {"exitCode", exit_status},
                             {"toolExecutionNotifications", std::move(notifications)}};
  if (!report.reproduce.empty()) invocation["commandLine"] = report.reproduce;
  return invocation;
}

}  // namespace

std::string RenderSarif(const RaceReport& report, int exit_status) {
  ordered_json rules = ordered_json::array();
  for (const RaceKind kind : kKinds) rules.push_back(SarifRule(kind));
  ordered_json results = ordered_json::array();
  for (const Race& race : report.races) results.push_back(Result(report, race));
  ordered_json run;
  run["tool"]["driver"] = {{"name", "fthreadprof"}, {"rules", std::move(rules)}};
  if (report.working_directory.starts_with('/')) {
    std::string root = report.working_directory;
    if (!root.ends_with('/')) root += '/';
    run["originalUriBaseIds"][kRoot] = {{"uri", absl::StrCat("file://", UriPath(root))}};
  }
  run["invocations"] = ordered_json::array({Invocation(report, exit_status)});
  run["columnKind"] = "unicodeCodePoints";
  run["results"] = std::move(results);
  const ordered_json sarif = {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                              {"version", "2.1.0"},
                              {"runs", ordered_json::array({std::move(run)})}};
  return sarif.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace fthreadprof
