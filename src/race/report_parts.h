// What several formats of the race report have in common: sentences about threads, accesses and
// sums, the place that a race is shown at, and escaping.
//
// Names in a report come from the program under test: what is not ours goes through Escape... or a
// JSON library, whatever it is said to contain.
//
// Thread safety: pure functions.
#ifndef FTHREADPROF_RACE_REPORT_PARTS_H_
#define FTHREADPROF_RACE_REPORT_PARTS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "race/race_report.h"

namespace fthreadprof {

// "1 race", "2 races".
std::string Plural(uint64_t count, const std::string& noun);
// "2 races (1 error, 1 warning), 3 suppressed".
std::string SumsText(const RaceReport& report);
// `thread "worker-1" (101)`
std::string ThreadText(const RaceThread& thread);
// "Write of `Stats.hits`"
std::string AccessText(const RaceAccess& access);
// "holding `self._lock`" or "no locks held"
std::string LocksText(const RaceAccess& access);
// "In test `tests/test_x.py::test_y`.", or which access is in which test; "" without tests.
std::string TestsText(const Race& race);
// "Seen 12 times, in 3 of 5 runs"; the runs only where the command was run more than once.
std::string SeenText(const RaceReport& report, const Race& race);
// A line a race with its test, under a heading, as pytest's own summary; "" without tests.
std::string RenderTestSummary(const RaceReport& report);
// A line for a terminal with the command that perturbs the schedule so again; "" without a seed.
std::string RenderReproduce(const RaceReport& report);
// Both accesses and where their threads were started, as RenderText has them.
std::string RenderRaceStacks(const Race& race);

// One sentence each: what such a race is, and what mostly helps.
std::string_view KindMeaning(RaceKind kind);
std::string_view KindFix(RaceKind kind);

// A frame, or as many of the same kind as follow each other in a stack, with at most three shown.
struct FrameRun {
  const RaceFrame* frame = nullptr;
  size_t shown = 0;
  size_t more = 0;  // that are not shown
};
// As CPython's traceback does with a call that repeats. Refers to the stack.
std::vector<FrameRun> RunsOf(const RaceStack& stack);

// Whether the frame is in a file, and not in "<string>" or not known.
bool IsInFile(const RaceFrame& frame);
// `file` relative to `directory` if it is below it.
std::string PathBelow(std::string_view directory, const std::string& file);
// The frame that tells a reader most: the innermost one in the working directory, else the
// innermost one in a file; nullptr when there is none.
const RaceFrame* ShownFrame(const RaceReport& report, const RaceStack& stack);
// The later access's shown frame, else the earlier one's.
const RaceFrame* ShownFrame(const RaceReport& report, const Race& race);
// "app.py:12"; "" for nullptr.
std::string PlaceText(const RaceReport& report, const RaceFrame* frame);

// `text` for XML and HTML, in elements and attributes. Control characters and what is no UTF-8 or
// no character of XML become U+FFFD.
std::string EscapeMarkup(std::string_view text);

// `text` with what stands between backticks rendered by `code`, all else by `plain`.
std::string RenderSpans(const std::string& text,
                        const std::function<std::string(const std::string&)>& plain,
                        const std::function<std::string(const std::string&)>& code);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_REPORT_PARTS_H_
