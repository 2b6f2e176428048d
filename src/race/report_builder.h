// ReportBuilder puts the races of several logs into one report: names and judges each, merges those
// that are the same mistake, gives each its fingerprint, and sorts them.
//
// The same mistake: the same kind of race on what has the same name between the same two places
// (file, function, line; either may come first). Objects, keys, threads and processes only count.
//
// Lifetime: the logs may go after each Add. Thread safety: none.
#ifndef FTHREADPROF_RACE_REPORT_BUILDER_H_
#define FTHREADPROF_RACE_REPORT_BUILDER_H_

#include <array>
#include <map>
#include <string>
#include <tuple>

#include "race/log_analysis.h"
#include "race/object_namer.h"
#include "race/race_report.h"
#include "race/source_lines.h"

namespace fthreadprof {

class ReportBuilder {
 public:
  explicit ReportBuilder(const ReportOptions& options)
      : options_(options), sources_(options.working_directory) {}

  // The logs that are added from now on are of the command's next run.
  void BeginRun() { ++runs_; }
  // REQUIRES: BeginRun.
  void Add(const RaceLog& log);
  // REQUIRES: called once, last.
  RaceReport Finish();

 private:
  // A side of a race, as it is compared.
  struct Place {
    std::string file;  // relative to the working directory, or its last two components
    std::string function;
    uint32_t line = 0;
    uint32_t line_in_function = 0;  // stays when the code above the function changes

    auto Key() const { return std::tie(file, function, line, line_in_function); }
    bool operator<(const Place& other) const { return Key() < other.Key(); }
  };
  // Kind, name, and the two places in order.
  using Identity = std::tuple<RaceKind, std::string, std::array<Place, 2>>;

  Race RaceOf(LogAnalysis& analysis, const LoggedRace& logged, const ObjectName& name);
  void AddRace(LogAnalysis& analysis, const LoggedRace& as_logged);
  void AddTests(const RaceLog& log, const LoggedRace& logged, Race& race) const;
  Place PlaceOf(const RaceLog& log, const LoggedPlace& place) const;
  RaceAccess AccessOf(LogAnalysis& analysis, const LoggedAccess& logged, const ObjectName& name);
  RaceThread ThreadOf(const RaceLog& log, uint32_t id);
  RaceStack StackOf(const RaceLog& log, LoggedPlace place);
  void AddExcerpts(RaceStack& stack);
  std::string RelativeFile(const std::string& file) const;
  static std::string Fingerprint(const Identity& identity);
  // Of two reports of the same mistake the one to show, the same whatever order they came in.
  static bool IsBetter(const Race& race, const Race& than);

  const ReportOptions options_;
  SourceLines sources_;
  // A race, and the last run that it was seen in.
  struct Merged {
    Race race;
    uint32_t last_run = 0;
  };

  std::map<Identity, Merged> races_;
  uint32_t runs_ = 0;
  RaceReport report_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_REPORT_BUILDER_H_
