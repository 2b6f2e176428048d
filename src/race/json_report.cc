// RenderJson: the report for programs, schema "fthreadprof.race/1" (docs/race-report.md).
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "race/left_out_report.h"
#include "race/race_report.h"

namespace fthreadprof {
namespace {

using nlohmann::ordered_json;

ordered_json Stack(const RaceStack& stack) {
  ordered_json frames = ordered_json::array();
  for (const RaceFrame& frame : stack) {
    frames.push_back({{"function", frame.function}, {"file", frame.file}, {"line", frame.line}});
  }
  return frames;
}

template <typename T>
ordered_json OrNull(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json Object(const RaceObject& object) {
  return {{"type", object.type},
          {"name", object.name},
          {"address", object.address},
          {"created", object.created ? Stack(*object.created) : ordered_json()}};
}

ordered_json Access(const RaceAccess& access) {
  ordered_json thread = {{"id", access.thread.id},
                         {"name", access.thread.name},
                         {"created", Stack(access.thread.created)}};
  return {{"op", access.is_write ? "write" : "read"},
          {"what", access.what},
          {"thread", std::move(thread)},
          {"test", access.test.empty() ? ordered_json() : ordered_json(access.test)},
          {"stack", Stack(access.stack)},
          {"locks_held", access.locks_held}};
}

ordered_json RaceObjectOf(const Race& race) {
  return {{"id", race.id},
          {"kind", RaceKindName(race.kind)},
          {"severity", SeverityName(race.severity)},
          {"count", race.count},
          {"runs", race.runs},
          {"test", OrNull(race.test)},
          {"object", Object(race.object)},
          {"accesses", ordered_json::array({Access(race.accesses[0]), Access(race.accesses[1])})},
          {"message", race.message},
          {"advice", race.advice}};
}

}  // namespace

std::string RenderJson(const RaceReport& report, int exit_status) {
  ordered_json json;
  json["schema"] = "fthreadprof.race/1";
  json["summary"] = {
      {"races", report.races.size()},
      {"errors", report.CountOf(Severity::kError)},
      {"warnings", report.CountOf(Severity::kWarning)},
      {"notes", report.CountOf(Severity::kNote)},
      {"suppressed", report.left_out.total()},
      {"runs", report.runs},
      {"reproduce", report.reproduce.empty() ? ordered_json() : ordered_json(report.reproduce)},
      {"exit_status", exit_status}};
  json["races"] = ordered_json::array();
  for (const Race& race : report.races) json["races"].push_back(RaceObjectOf(race));
  AppendLeftOut(report.left_out, json);
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace fthreadprof
