#include "race/race_filter.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace fthreadprof {
namespace {

// The rules of a filter, those of the user first, and what becomes of them.
class RuleCount {
 public:
  explicit RuleCount(const RaceFilter& filter) : filter_(filter) {
    for (const Suppressions* const from : {&filter.user, &filter.built_in}) {
      for (const SuppressionRule& rule : from->rules()) {
        rules_.push_back(&rule);
        counts_.push_back({.name = rule.name,
                           .source = rule.source,
                           .reason = rule.reason,
                           .expired = rule.HasExpired(filter.today)});
      }
    }
  }

  // Counts for the first rule that means the race.
  bool Take(const Race& race) {
    for (size_t i = 0; i < rules_.size(); ++i) {
      if (counts_[i].expired || !rules_[i]->Matches(race, filter_.own_code)) continue;
      ++counts_[i].hits;
      return true;
    }
    return false;
  }

  void Finish(RaceReport& report) {
    for (size_t i = 0; i < rules_.size(); ++i) {
      if (counts_[i].expired) report.notices.push_back(ExpiryOf(*rules_[i]));
      if (rules_[i]->origin == RuleOrigin::kBuiltIn && counts_[i].hits == 0) continue;
      report.left_out.rules.push_back(std::move(counts_[i]));
    }
  }

 private:
  static std::string ExpiryOf(const SuppressionRule& rule) {
    return absl::StrCat(rule.source, ": the suppression [", rule.name, "] expired on ",
                        absl::FormatCivilTime(*rule.expires),
                        " and leaves nothing out any more; fix its race, or give it a new date");
  }

  const RaceFilter& filter_;
  std::vector<const SuppressionRule*> rules_;
  std::vector<LeftOut::Rule> counts_;
};

}  // namespace

void RaceFilter::Apply(RaceReport& report) const {
  if (baseline) report.left_out.gone = baseline->Missing(report.races);
  RuleCount rules(*this);
  LeftOut& left_out = report.left_out;
  std::erase_if(report.races, [&](const Race& race) {
    uint64_t* reason = nullptr;
    if (rules.Take(race)) {
      reason = &left_out.by_rule;
    } else if (!race.is_own) {
      reason = &left_out.not_own;
    } else if (baseline && baseline->Knows(race)) {
      reason = &left_out.in_baseline;
    }
    if (reason != nullptr) ++*reason;
    return reason != nullptr;
  });
  rules.Finish(report);
}

}  // namespace fthreadprof
