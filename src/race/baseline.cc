#include "race/baseline.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "race/plain_text.h"

namespace fthreadprof {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr char kSchema[] = "fthreadprof.race-baseline/1";
constexpr char kAdvice[] = "; --write-baseline makes one";

// nullptr when there is no such text.
const std::string* TextAt(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end() || !found->is_string()) return nullptr;
  return found->get_ptr<const std::string*>();
}

absl::StatusOr<RacePlace> PlaceOf(const json& value) {
  const std::string* const file = TextAt(value, "file");
  const std::string* const function = TextAt(value, "function");
  if (file == nullptr || function == nullptr) {
    return absl::InvalidArgumentError("a place that has no file or function");
  }
  return RacePlace{PrintableText(*file), PrintableText(*function)};
}

absl::StatusOr<KnownRace> EntryOf(const json& value) {
  KnownRace entry;
  const std::string* const id = TextAt(value, "id");
  const std::string* const kind = TextAt(value, "kind");
  const std::string* const object = TextAt(value, "object");
  if (id == nullptr) return absl::InvalidArgumentError("no id");
  if (kind == nullptr || !ParseRaceKind(*kind)) {
    return absl::InvalidArgumentError("no kind of race that is known");
  }
  if (object == nullptr) return absl::InvalidArgumentError("no object");
  entry.id = PrintableText(*id);
  entry.kind = *ParseRaceKind(*kind);
  entry.object = PrintableText(*object);
  const auto places = value.find("places");
  if (places == value.end() || !places->is_array() || places->size() != entry.places.size()) {
    return absl::InvalidArgumentError("no two places");
  }
  for (size_t i = 0; i < entry.places.size(); ++i) {
    FTP_ASSIGN_OR_RETURN(entry.places[i], PlaceOf((*places)[i]));
  }
  return entry;
}

absl::StatusOr<json> ParseJson(std::string_view text, const std::string& file) {
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    const size_t end = std::min(error.byte, text.size());
    const auto line = 1 + std::ranges::count(text.substr(0, end == 0 ? 0 : end - 1), '\n');
    return absl::InvalidArgumentError(
        absl::StrCat(file, ":", line, ": is not JSON, so it is no baseline", kAdvice));
  }
}

}  // namespace

absl::StatusOr<Baseline> Baseline::Parse(std::string_view text, const std::string& file) {
  FTP_ASSIGN_OR_RETURN(const json document, ParseJson(text, file));
  const std::string* const schema = TextAt(document, "schema");
  if (schema == nullptr || *schema != kSchema) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ":1: is no baseline of schema ", kSchema, kAdvice));
  }
  const auto races = document.find("races");
  if (races == document.end() || !races->is_array()) {
    return absl::InvalidArgumentError(absl::StrCat(file, ":1: has no list of races", kAdvice));
  }
  Baseline baseline;
  for (size_t i = 0; i < races->size(); ++i) {
    absl::StatusOr<KnownRace> entry = EntryOf((*races)[i]);
    if (!entry.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ": races[", i, "] has ", entry.status().message(), kAdvice));
    }
    baseline.Add(*std::move(entry));
  }
  return baseline;
}

void Baseline::Add(KnownRace race) {
  places_[{race.kind, race.object}].insert(race.places.begin(), race.places.end());
  const std::string id = race.id;
  entries_.insert_or_assign(id, std::move(race));
}

void Baseline::Add(const Race& race) {
  Add(KnownRace{race.id, race.kind, race.object.stable_name, race.places});
}

bool Baseline::Knows(const Race& race) const {
  if (entries_.contains(race.id)) return true;
  const auto known = places_.find({race.kind, race.object.stable_name});
  return known != places_.end() && std::ranges::all_of(race.places, [&](const RacePlace& place) {
           return known->second.contains(place);
         });
}

std::vector<KnownRace> Baseline::Missing(const std::vector<Race>& races) const {
  std::set<Subject> seen;
  std::set<std::string> ids;
  for (const Race& race : races) {
    seen.insert({race.kind, race.object.stable_name});
    ids.insert(race.id);
  }
  std::vector<KnownRace> missing;
  for (const auto& [id, entry] : entries_) {
    if (ids.contains(id) || seen.contains({entry.kind, entry.object})) continue;
    missing.push_back(entry);
  }
  return missing;
}

std::string Baseline::Render() const {
  std::vector<const KnownRace*> sorted;
  for (const auto& [id, entry] : entries_) sorted.push_back(&entry);
  std::ranges::sort(sorted, {}, [](const KnownRace* entry) {
    return std::tie(entry->places, entry->kind, entry->object, entry->id);
  });
  ordered_json document = {{"schema", kSchema}, {"races", ordered_json::array()}};
  for (const KnownRace* entry : sorted) {
    ordered_json race = {{"id", entry->id},
                         {"kind", RaceKindName(entry->kind)},
                         {"object", entry->object},
                         {"places", ordered_json::array()}};
    for (const RacePlace& place : entry->places) {
      race["places"].push_back({{"file", place.file}, {"function", place.function}});
    }
    document["races"].push_back(std::move(race));
  }
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace fthreadprof
