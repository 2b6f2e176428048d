// A report made of literals, for tests of its outputs.
#ifndef FTHREADPROF_TESTS_UNIT_RACE_SAMPLE_REPORT_H_
#define FTHREADPROF_TESTS_UNIT_RACE_SAMPLE_REPORT_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "race/race_report.h"
#include "unit/race/bytecode.h"

namespace fthreadprof {

inline RaceReport SampleReport() {
  const RaceFrame start = {"main", "/home/me/app.py", 30, "thread.start()"};
  const RaceFrame run = {"Thread.run", "/usr/lib/python3.13/threading.py", 994, ""};
  RaceFrame update = {"Stats.serve", "/home/me/app.py", 12, "self.hits += 1"};
  update.excerpt = {10, {"def serve(self):", "    while self.open:", "        self.hits += 1"}};
  Race lost;
  lost.id = "314fc6b607d39004";
  lost.kind = RaceKind::kLostUpdate;
  lost.severity = Severity::kError;
  lost.count = 17;
  lost.runs = 4;
  lost.object = {"Stats", "Stats.hits", 0x7f0000001000, std::nullopt};
  lost.accesses[0] = {true, "write of `Stats.hits`", {101, "worker-1", {start}},
                      "",   {run, update},           {"self._lock", "lock"}};
  lost.accesses[1] = {false, "read of `Stats.hits`", {102, "worker-2", {start}},
                      "",    {run, update},          {}};
  lost.accesses[0].test = "tests/test_app.py::test_hits[a]";
  lost.accesses[1].test = "tests/test_app.py::test_stats";
  lost.test = "tests/test_app.py::test_stats";
  lost.message = "A thread writes `Stats.hits` from what it read there before.";
  lost.advice = "Hold one lock. `self._lock` and `lock` are held on one side only.";

  const RaceFrame recursion = {"walk", "<string>", 3, "walk(n - 1)"};
  Race race;
  race.id = "00000000000000ff-2";
  race.kind = RaceKind::kDataRace;
  race.count = 1;
  race.runs = 1;
  race.object = {"list", "list at 0x10", 0x10, std::nullopt};
  race.accesses[0] = {false, "len() of `list at 0x10`", {0, "", {}}, "", {}, {}};
  race.accesses[1] = {true,
                      "append() to `list at 0x10`",
                      {103, "größe", {start}},
                      "",
                      {recursion, recursion, recursion, recursion, recursion, {"?", "?", 0, ""}},
                      {"lock"}};
  race.message = "A thread reads it.";
  race.advice = "Hold one lock around both.";

  RaceReport report;
  report.races = {lost, race};
  report.left_out.rules = {{"hits may be lost", "race.supp:3", "Approximate is enough.", 2, false},
                           {"old", "race.supp:9", "Is gone.", 0, false},
                           {"late", "race.supp:12", "Until the release.", 0, true},
                           {"re caches", "built-in", "The pattern is the same.", 1, false}};
  report.left_out.by_rule = 3;
  report.left_out.in_baseline = 1;
  report.left_out.not_own = 2;
  report.left_out.gone = {{"00000000000000aa",
                           RaceKind::kIteration,
                           "Pool.idle",
                           {{{"pool.py", "Pool.close"}, {"pool.py", "Pool.get"}}}}};
  report.working_directory = "/home/me";
  report.runs = 5;
  report.reproduce = "fthreadprof race --seed 7 -- pytest 'a b'";
  report.notices = {"Shadow memory is full: some races were not looked for."};
  return report;
}

// What a program may be called that wants to break reports: markup of all kinds, control
// characters, invalid UTF-8. The reader makes names printable; writers do not rely on it.
inline RaceReport HostileReport() {
  const std::string name =
      "<script>alert(1)</script> --> ]]> &amp; \"'` | **b** _i_ [x](http://e.com/) @you #1 <!-- "
      "\x1b[31m \x01 \n```\n# h \xff\xfe \xed\xa0\x80 \ufffe \u202e \u2028 {% raw %} ${{ secrets "
      "}}";
  RaceFrame frame = {name, "/home/me/" + name + ".py", 7, name};
  frame.excerpt = {6, {name, name}};
  Race race;
  race.id = "0123456789abcdef";
  race.kind = RaceKind::kOrdering;
  race.severity = Severity::kNote;
  race.count = 2;
  race.runs = 1;
  race.object = {name, name, 1, std::nullopt};
  race.accesses[0] = {true, "append() to `" + name + "`", {1, name, {frame}}, "", {frame}, {name}};
  race.accesses[1] = {true, "write of `" + name + "`", {2, "", {}}, "", {frame, frame}, {name, ""}};
  race.accesses[0].test = race.accesses[1].test = name;
  race.test = name;
  race.message = "Both change `" + name + "`.";
  race.advice = "Hold `" + name + "`.";
  RaceReport report;
  report.races = {race};
  report.reproduce = name;
  report.notices = {name};
  report.working_directory = "/home/me";
  return report;
}

// Compares `text` with tests/data/race/`name`; FTHREADPROF_UPDATE_GOLDEN=1 writes that file
// instead.
inline void ExpectRaceGolden(const std::string& name, const std::string& text) {
  const std::filesystem::path path = RaceTestData(name);
  if (std::getenv("FTHREADPROF_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_EQ(text, golden.str()) << "differs from " << path;
}

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_RACE_SAMPLE_REPORT_H_
