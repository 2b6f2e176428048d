// Suppressions: rules that say which races are known to be harmless, and why. Read from a file in
// INI form (docs/race-suppressions.md): a section a rule.
//
// Errors of Parse are kInvalidArgument: one sentence that begins with the file and the line.
// Lifetime: a value. Thread safety: immutable.
#ifndef FTHREADPROF_RACE_SUPPRESSIONS_H_
#define FTHREADPROF_RACE_SUPPRESSIONS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "race/own_code.h"
#include "race/race_report.h"

namespace fthreadprof {

// Where a file comes from. Built-in rules hide only what is between two places of the standard
// library, each by the innermost frame.
enum class RuleOrigin { kUser, kBuiltIn };

// A race is meant when all that is given fits. `function` and `file` fit one frame: the innermost
// of either side, or one of its callers as far as the first of the user's own code.
struct SuppressionRule {
  std::string name;
  std::string source;  // "race.supp:12", "built-in"
  std::string reason;
  std::optional<RaceKind> kind;
  // Patterns (name_pattern.h); "" fits anything.
  std::string object, function, file;
  std::optional<absl::CivilDay> expires;  // the last day on which it counts
  RuleOrigin origin = RuleOrigin::kUser;

  bool Matches(const Race& race, const OwnCode& own) const;
  bool HasExpired(absl::CivilDay today) const { return expires && *expires < today; }
};

class Suppressions {
 public:
  Suppressions() = default;

  // `file` is what messages call it.
  [[nodiscard]] static absl::StatusOr<Suppressions> Parse(std::string_view text,
                                                          const std::string& file,
                                                          RuleOrigin origin);

  // In the order of the file.
  const std::vector<SuppressionRule>& rules() const { return rules_; }

 private:
  std::vector<SuppressionRule> rules_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_SUPPRESSIONS_H_
