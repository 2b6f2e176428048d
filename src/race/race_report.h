// RaceReport: what `fthreadprof race` tells its user, made from a directory of race logs
// (fthreadprof/race_log.h): races that are the same mistake are one, each with its kind, names,
// stacks and advice. docs/race-report.md says how to read one.
//
// Lifetime: a plain value; needs neither the logs nor the sources once it is read.
// Thread safety: none needed; all functions are free of shared state.
// Strings are UTF-8 on one line: the logs come from a process that may write anything.
#ifndef FTHREADPROF_RACE_RACE_REPORT_H_
#define FTHREADPROF_RACE_RACE_REPORT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "race/own_code.h"

namespace fthreadprof {

// In the order of weight: a greater one is worse.
enum class Severity { kNote, kWarning, kError };

enum class RaceKind { kLostUpdate, kCheckThenAct, kIteration, kUnsafe, kDataRace, kOrdering };

// "note", "warning", "error".
std::string_view SeverityName(Severity severity);
// nullopt for any other text.
std::optional<Severity> ParseSeverity(std::string_view name);
// "lost-update", ...
std::string_view RaceKindName(RaceKind kind);
// nullopt for any other text.
std::optional<RaceKind> ParseRaceKind(std::string_view name);
Severity SeverityOf(RaceKind kind);

// Lines of a source file around a place. Empty when not wanted or not to be had.
struct SourceExcerpt {
  uint32_t first_line = 0;         // 1-based
  std::vector<std::string> lines;  // without the indentation that all have in common
};

// A place in Python code. `line` is 1-based, 0 when not known.
struct RaceFrame {
  std::string function;  // co_qualname
  std::string file;      // co_filename
  uint32_t line = 0;
  std::string source;  // the line's text without indentation; "" when not wanted or not to be had
  SourceExcerpt excerpt = {};  // of an access's innermost frames

  // The source follows from the place.
  friend bool operator==(const RaceFrame& a, const RaceFrame& b) {
    return a.line == b.line && a.function == b.function && a.file == b.file;
  }
};

// Outermost frame first, as CPython prints a traceback. Empty when nothing is known.
using RaceStack = std::vector<RaceFrame>;

struct RaceThread {
  uint64_t id = 0;    // threading.get_native_id()
  std::string name;   // threading's name; "" when not known
  RaceStack created;  // where it was started; empty for the main thread
};

struct RaceAccess {
  bool is_write = false;
  std::string what;  // "store to attribute `hits`"
  RaceThread thread;
  std::string test;  // that the thread ran: "tests/test_x.py::test_y"; "" for none
  RaceStack stack;
  std::vector<std::string> locks_held;  // `self._lock`, as it was acquired; outermost first
};

struct RaceObject {
  std::string type;  // "list", "Stats"
  std::string name;  // as a person would say it: `Stats.hits`, `module total`, `counts['a']`
  uint64_t address = 0;
  std::optional<RaceStack> created;  // where it was made; not recorded yet
  // The name without element and address, the same in every run: `counts`.
  std::string stable_name = {};
};

// A side of a race as its id has it: where, but for the line.
struct RacePlace {
  std::string file;  // relative to the working directory, or its last two components
  std::string function;

  friend auto operator<=>(const RacePlace&, const RacePlace&) = default;
};

struct Race {
  std::string id;  // the same in every run (docs/race-report.md)
  RaceKind kind = RaceKind::kDataRace;
  Severity severity = Severity::kWarning;
  uint64_t count = 0;               // how often it was seen, over all processes and runs
  uint32_t runs = 0;                // in how many of RaceReport::runs it was seen
  std::optional<std::string> test;  // the later access's, or else the earlier one's
  RaceObject object;
  std::array<RaceAccess, 2> accesses;  // the earlier one first
  std::string message;                 // one sentence
  std::string advice;                  // one or two sentences
  std::array<RacePlace, 2> places;     // in order of file and function
  bool is_own = true;                  // is in the user's own code (docs/race-suppressions.md)
};

// A race as a baseline remembers it (baseline.h).
struct KnownRace {
  std::string id;
  RaceKind kind = RaceKind::kDataRace;
  std::string object;  // RaceObject::stable_name
  std::array<RacePlace, 2> places;
};

// What a filter took out of a report, and by which rule (race_filter.h).
struct LeftOut {
  struct Rule {
    std::string name;
    std::string source;  // "race.supp:12", "built-in"
    std::string reason;
    uint64_t hits = 0;  // races
    bool expired = false;
  };
  std::vector<Rule> rules;  // built-in ones that were hit, and all of the user's
  uint64_t by_rule = 0;
  uint64_t in_baseline = 0;
  uint64_t not_own = 0;
  std::vector<KnownRace> gone;  // in the baseline, and not met in this run

  uint64_t total() const { return by_rule + in_baseline + not_own; }
};

struct RaceReport {
  std::vector<Race> races;  // by severity, then count, then place
  LeftOut left_out;         // is not in `races`
  // Sentences for the user: what was not seen, which log is corrupt.
  std::vector<std::string> notices;
  // Files below it are shown relative to it where a report wants paths of a repository.
  std::string working_directory;
  uint32_t runs = 1;      // how often the command was run
  std::string reproduce;  // the command line that perturbs the schedule so again; "" without a seed

  size_t CountOf(Severity severity) const;
  // How many races weigh `severity` or more: what --fail-on asks.
  size_t CountAtLeast(Severity severity) const;
};

struct ReportOptions {
  // Paths below it count as relative to it in fingerprints. "": none does.
  std::string working_directory;
  // Read the source lines of frames (--no-source: false).
  bool source = true;
  // What makes a race the user's own. All races are in the report: a RaceFilter leaves out.
  OwnCode own_code = {};
};

// Reads all *.racelog files of the directories, one for each run of the command; none at all is a
// report without races. A truncated tail is fine. A corrupt file's valid part is used, and a notice
// says so. Fails with kNotFound or kPermissionDenied, a sentence for the user, only when a
// directory itself can't be read.
absl::StatusOr<RaceReport> ReadRaceLogs(const std::vector<std::filesystem::path>& directories,
                                        const ReportOptions& options);

// The formats, each in a file of its own (json_report.cc, ...). `exit_status` is fthreadprof's own.
// For people: one paragraph a race, the notices, and a last line with the sums and `exit_status`.
std::string RenderText(const RaceReport& report, int exit_status);
// Schema "fthreadprof.race/1" (docs/race-report.md).
std::string RenderJson(const RaceReport& report, int exit_status);
// SARIF 2.1.0, for code scanning.
std::string RenderSarif(const RaceReport& report, int exit_status);
// JUnit XML: a failed test case a race, notes pass.
std::string RenderJunit(const RaceReport& report, int exit_status);
// GitLab's code quality JSON.
std::string RenderCodeQuality(const RaceReport& report, int exit_status);
// GitHub's Markdown, short enough for a comment on a pull request.
std::string RenderMarkdown(const RaceReport& report, int exit_status);
// A page that needs nothing but itself: both stacks side by side with source excerpts.
std::string RenderHtml(const RaceReport& report, int exit_status);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_RACE_REPORT_H_
