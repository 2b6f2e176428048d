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
#include "race/operation.h"
#include "race/race_normalizer.h"

namespace fthreadprof {
namespace {

using race_log::ObjectKind;

// Deeper stacks than a person reads; CPython's own limit of recursion is 1000.
constexpr size_t kMaxFrames = 4096;

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

void ReportBuilder::AddRace(LogAnalysis& analysis, const LoggedRace& as_logged) {
  const LoggedRace logged = NormalizeRace(analysis, as_logged);
  ObjectNamer namer(analysis);
  const ObjectName name = namer.NameOf(logged);
  // The library's own state is its own business; a container that the program handed in is not.
  const bool handed_in =
      IsContainer(logged.object_kind) || logged.object_kind == ObjectKind::kIterator;
  const bool is_programs = handed_in && name.in_program;
  if (analysis.IsLibrary(logged.earlier.place) && analysis.IsLibrary(logged.later.place) &&
      !is_programs) {
    ++report_.suppressed;
    return;
  }
  Race race;
  race.kind = ClassifyRace(analysis, logged);
  race.severity = SeverityOf(race.kind);
  race.count = logged.count;
  race.object = {LastComponent(logged.type), name.element, logged.address, std::nullopt};
  race.accesses = {AccessOf(analysis, logged.earlier, name),
                   AccessOf(analysis, logged.later, name)};
  const AdviceInput input = {race, logged, name};
  race.message = MessageFor(input);
  race.advice = AdviceFor(input);
  std::array<Place, 2> places = {PlaceOf(analysis.log(), logged.earlier.place),
                                 PlaceOf(analysis.log(), logged.later.place)};
  std::ranges::sort(places, std::less{});
  const auto [known, is_new] =
      races_.try_emplace(Identity(race.kind, name.stable, std::move(places)), std::move(race));
  if (is_new) return;
  const uint64_t count = known->second.count + race.count;
  if (IsBetter(race, known->second)) known->second = std::move(race);
  known->second.count = count;
}

bool ReportBuilder::IsBetter(const Race& race, const Race& than) {
  const auto key = [](const Race& of) {
    return std::tie(of.object.name, of.accesses[0].what, of.accesses[1].what,
                    of.accesses[0].thread.name, of.accesses[1].thread.name, of.message);
  };
  return key(race) < key(than);
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
  std::string below = options_.working_directory;
  if (!below.empty() && !below.ends_with('/')) below += '/';
  if (!below.empty() && file.starts_with(below)) return file.substr(below.size());
  if (!file.starts_with('/')) return file;
  return LastTwoComponents(file);
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
  access.locks_held = ObjectNamer(analysis).NamesOf(logged.locks);
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

std::string ReportBuilder::Fingerprint(const Identity& identity) {
  const auto& [kind, name, places] = identity;
  std::string text = absl::StrCat(std::string(RaceKindName(kind)), "\n", name);
  for (const Place& place : places) {
    absl::StrAppend(&text, "\n", place.file, "\n", place.function, "\n", place.line_in_function);
  }
  return absl::StrFormat("%016x", Fnv1a64(text));
}

RaceReport ReportBuilder::Finish() {
  // In the order of places. Two lambdas of one function may differ in nothing but their lines: the
  // second one's fingerprint gets a number.
  absl::flat_hash_map<std::string, int> used;
  for (auto& [identity, race] : races_) {
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
