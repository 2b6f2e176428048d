// Baseline: the races that are known already, so that only new ones fail a build. Schema
// "fthreadprof.race-baseline/1" (docs/race-suppressions.md).
//
// A race is known by its id; or, since which two of the places that race on one object are met
// first may differ from run to run, when the baseline has its kind of race on an object of that
// name in both of its functions, whichever pairs they stand in.
//
// Errors of Parse are kInvalidArgument: one sentence that begins with the file, and the line or the
// entry. Lifetime: a value. Thread safety: immutable.
#ifndef FTHREADPROF_RACE_BASELINE_H_
#define FTHREADPROF_RACE_BASELINE_H_

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "race/race_report.h"

namespace fthreadprof {

class Baseline {
 public:
  Baseline() = default;
  // `file` is what messages call it.
  [[nodiscard]] static absl::StatusOr<Baseline> Parse(std::string_view text,
                                                      const std::string& file);

  // An entry of the same id takes the place of the one that is there.
  void Add(KnownRace race);
  void Add(const Race& race);
  bool Knows(const Race& race) const;
  // Entries on whose object no race of their kind is among `races`.
  std::vector<KnownRace> Missing(const std::vector<Race>& races) const;
  // The file's text, in order, so that two versions of it compare well.
  std::string Render() const;

 private:
  using Subject = std::pair<RaceKind, std::string>;  // kind, object

  std::map<std::string, KnownRace> entries_;  // by id
  std::map<Subject, std::set<RacePlace>> places_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_BASELINE_H_
