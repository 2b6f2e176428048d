#include "race/report_builder.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "race/advice.h"
#include "race/classifier.h"
#include "race/object_origin.h"
#include "race/operation.h"
#include "race/race_normalizer.h"
#include "race/report_parts.h"
#include "race/unit_test.h"

namespace fthreadprof {
namespace {

// Deeper stacks than a person reads; CPython's own limit of recursion is 1000.
constexpr size_t kMaxFrames = 4096;
constexpr size_t kMaxExcerpts = 8;  // a stack

std::string LastTwoComponents(std::string_view file) {
  const size_t last = file.rfind('/');
  if (last == std::string_view::npos || last == 0) return std::string(file);
  const size_t before = file.rfind('/', last - 1);
  return std::string(before == std::string_view::npos ? file : file.substr(before + 1));
}

uint64_t Fnv1a64(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : text) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3;
  return hash;
}

}  // namespace

void ReportBuilder::Add(const RaceLog& log) {
  LogAnalysis analysis(log);
  for (const LoggedRace& race : log.races) AddRace(analysis, race);
  const auto notify = [&](const std::string& sentence) {
    if (std::ranges::find(report_.notices, sentence) == report_.notices.end()) {
      report_.notices.push_back(sentence);
    }
  };
  for (const std::string& notice : log.notices) notify(notice);
  if (!log.problem.ok()) notify(std::string(log.problem.message()));
}

Race ReportBuilder::RaceOf(LogAnalysis& analysis, const LoggedRace& logged,
                           const ObjectName& name) {
  Race race;
  race.kind = ClassifyRace(analysis, logged);
  race.severity = SeverityOf(race.kind);
  race.count = logged.count;
  race.object = {LastComponent(logged.type), name.element, logged.address, std::nullopt,
                 name.stable};
  race.accesses = {AccessOf(analysis, logged.earlier, name),
                   AccessOf(analysis, logged.later, name)};
  const std::array<std::vector<std::string>, 2> locks = ObjectNamer(analysis).LocksOf(logged);
  for (const size_t i : {0, 1}) race.accesses[i].locks_held = locks[i];
  const AdviceInput input = {race, logged, name};
  AddTests(analysis.log(), logged, race);
  race.message = MessageFor(input);
  race.advice = AdviceFor(input);
  ObjectOrigin origin(analysis, options_.own_code);
  // The library's own state is its own business; an object that the user handed in is not.
  race.is_own = origin.IsOwnAccess(logged.earlier) || origin.IsOwnAccess(logged.later) ||
                origin.IsOwnObject(logged);
  return race;
}

void ReportBuilder::AddRace(LogAnalysis& analysis, const LoggedRace& as_logged) {
  const LoggedRace logged = NormalizeRace(analysis, as_logged);
  const ObjectName name = ObjectNamer(analysis).NameOf(logged);
  Race race = RaceOf(analysis, logged, name);
  std::array<Place, 2> places = {PlaceOf(analysis.log(), logged.earlier.place),
                                 PlaceOf(analysis.log(), logged.later.place)};
  std::ranges::sort(places, std::less{});
  race.places = {RacePlace{places[0].file, places[0].function},
                 RacePlace{places[1].file, places[1].function}};
  Merged& merged = races_[Identity(race.kind, name.stable, std::move(places))];
  const uint64_t count = merged.race.count + race.count;
  const uint32_t runs = merged.race.runs + (merged.last_run == runs_ ? 0 : 1);
  const bool is_new = merged.race.runs == 0;
  if (is_new || IsBetter(race, merged.race)) merged.race = std::move(race);
  merged.race.count = count;
  merged.race.runs = runs;
  merged.last_run = runs_;
}

bool ReportBuilder::IsBetter(const Race& race, const Race& than) {
  if (race.is_own != than.is_own) return race.is_own;  // as it concerns the user
  const auto key = [](const Race& of) {
    return std::tie(of.object.name, of.accesses[0].what, of.accesses[1].what,
                    of.accesses[0].thread.name, of.accesses[1].thread.name, of.message);
  };
  return key(race) < key(than);
}

void ReportBuilder::AddTests(const RaceLog& log, const LoggedRace& logged, Race& race) const {
  race.accesses[0].test = logged.earlier_test;
  race.accesses[1].test = logged.later_test;
  for (RaceAccess& access : race.accesses) {
    const bool is_later = &access == &race.accesses[1];
    if (access.test.empty()) {
      access.test =
          UnitTestOf(log, is_later ? logged.later : logged.earlier, options_.working_directory);
    }
    if (!access.test.empty()) race.test = access.test;
  }
}

ReportBuilder::Place ReportBuilder::PlaceOf(const RaceLog& log, const LoggedPlace& place) const {
  const auto node = log.nodes.find(place.node);
  if (node == log.nodes.end() || node->second.code == nullptr) return {};
  const LoggedCode& code = *node->second.code;
  Place result = {RelativeFile(code.file), code.function, code.LineAt(place.offset), 0};
  result.line_in_function =
      result.line >= code.first_line ? result.line - code.first_line : result.line;
  return result;
}

std::string ReportBuilder::RelativeFile(const std::string& file) const {
  const std::string below = PathBelow(options_.working_directory, file);
  return below.starts_with('/') ? LastTwoComponents(file) : below;
}

RaceAccess ReportBuilder::AccessOf(LogAnalysis& analysis, const LoggedAccess& logged,
                                   const ObjectName& name) {
  const OperationTraits& traits = TraitsOf(logged.operation);
  RaceAccess access;
  access.is_write = logged.is_write;
  access.what = absl::StrCat(std::string(traits.phrase), " `",
                             traits.names_element ? name.element : name.container, "`");
  access.thread = ThreadOf(analysis.log(), logged.thread);
  access.stack = StackOf(analysis.log(), logged.place);
  if (options_.source) AddExcerpts(access.stack);
  return access;
}

RaceThread ReportBuilder::ThreadOf(const RaceLog& log, uint32_t id) {
  const auto thread = log.threads.find(id);
  if (thread == log.threads.end()) return {};
  return {thread->second.native_id, thread->second.name, StackOf(log, thread->second.started_at)};
}

RaceStack ReportBuilder::StackOf(const RaceLog& log, LoggedPlace place) {
  RaceStack stack;
  // Ends: a node's caller comes before it in the log.
  for (auto node = log.nodes.find(place.node); node != log.nodes.end() && stack.size() < kMaxFrames;
       node = log.nodes.find(place.node)) {
    RaceFrame frame = {.function = "?", .file = "?", .source = ""};
    if (const LoggedCode* code = node->second.code) {
      frame = {code->function, code->file, code->LineAt(place.offset), ""};
      if (options_.source) frame.source = sources_.Line(frame.file, frame.line);
    }
    stack.push_back(std::move(frame));
    place = node->second.caller;
  }
  std::ranges::reverse(stack);
  return stack;
}

void ReportBuilder::AddExcerpts(RaceStack& stack) {
  const size_t outer = stack.size() - std::min(stack.size(), kMaxExcerpts);
  for (size_t i = outer; i < stack.size(); ++i) {
    stack[i].excerpt = sources_.Excerpt(stack[i].file, stack[i].line);
  }
}

std::string ReportBuilder::Fingerprint(const Identity& identity) {
  const auto& [kind, name, places] = identity;
  std::string text = absl::StrCat(std::string(RaceKindName(kind)), "\n", name);
  for (const Place& place : places) {
    absl::StrAppend(&text, "\n", place.file, "\n", place.function, "\n", place.line_in_function);
  }
  return absl::StrFormat("%016x", Fnv1a64(text));
}

RaceReport ReportBuilder::Finish() {
  report_.working_directory = options_.working_directory;
  report_.runs = runs_;
  // In the order of places. Two lambdas of one function may differ in nothing but their lines: the
  // second one's fingerprint gets a number.
  absl::flat_hash_map<std::string, int> used;
  for (auto& [identity, merged] : races_) {
    Race& race = merged.race;
    race.id = Fingerprint(identity);
    if (const int times = ++used[race.id]; times > 1) absl::StrAppend(&race.id, "-", times);
    report_.races.push_back(std::move(race));
  }
  const auto weight = [](const Race& race) { return std::pair(race.severity, race.count); };
  const auto place = [](const Race& race) {
    const RaceStack& stack = race.accesses[0].stack;
    return stack.empty() ? std::tuple<std::string, uint32_t>()
                         : std::tuple(stack.back().file, stack.back().line);
  };
  std::ranges::sort(report_.races, [&](const Race& a, const Race& b) {
    if (weight(a) != weight(b)) return weight(a) > weight(b);
    return std::tuple(place(a), a.id) < std::tuple(place(b), b.id);
  });
  return std::move(report_);
}

}  // namespace fthreadprof
