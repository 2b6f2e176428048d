#include "cli/race_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "cli/race_coverage.h"
#include "unit/interpreter/temporary_directory.h"
#include "unit/race/sample_report.h"

namespace fthreadprof {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string WhyNot(const std::vector<std::string>& paths) {
  return std::string(CheckRaceOutputs(paths).message());
}

TEST(CheckRaceOutputsTest, TakesWhatCanBeWritten) {
  TemporaryDirectory directory;
  EXPECT_TRUE(CheckRaceOutputs({}).ok());
  EXPECT_TRUE(CheckRaceOutputs({directory.path() / "a.txt", directory.path() / "a.json"}).ok());
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(CheckRaceOutputsTest, SaysWhatIsWrong) {
  EXPECT_THAT(WhyNot({"races.pdf"}), HasSubstr("race writes .txt, .json, .sarif, .xml"));
  EXPECT_THAT(WhyNot({"-"}), HasSubstr("cannot tell the format"));
  EXPECT_THAT(WhyNot({"a.txt", "a.txt"}), HasSubstr("two outputs"));
  EXPECT_THAT(WhyNot({"/nowhere/a.txt"}), HasSubstr("/nowhere"));
}

TEST(WriteRaceOutputsTest, WritesEachAsItsEndingSays) {
  TemporaryDirectory directory;
  const RaceReport report = SampleReport();
  const std::map<std::string, std::string (*)(const RaceReport&, int)> formats = {
      {"a.txt", RenderText},    {"a.json", RenderJson},
      {"a.sarif", RenderSarif}, {"b.sarif.json", RenderSarif},
      {"a.xml", RenderJunit},   {"a.md", RenderMarkdown},
      {"a.html", RenderHtml},   {"a.codequality.json", RenderCodeQuality}};
  std::vector<std::string> paths;
  for (const auto& [name, render] : formats) paths.push_back(directory.path() / name);
  testing::internal::CaptureStderr();
  ASSERT_TRUE(WriteRaceOutputs(report, 66, paths).ok());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), RaceSummary(report, 66));
  for (const auto& [name, render] : formats) {
    EXPECT_EQ(ReadWholeFile(directory.path() / name), render(report, 66)) << name;
  }
}

TEST(WriteRaceOutputsTest, WithoutFilesStandardErrorHasItAll) {
  const RaceReport report = SampleReport();
  testing::internal::CaptureStderr();
  ASSERT_TRUE(WriteRaceOutputs(report, 66, {}).ok());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), RenderText(report, 66));
}

TEST(WriteRaceOutputsTest, OneFailureDoesNotKeepOthersFromBeingWritten) {
  TemporaryDirectory directory;
  const std::string text = directory.path() / "a.txt";
  testing::internal::CaptureStderr();
  EXPECT_FALSE(WriteRaceOutputs(SampleReport(), 0, {"/nowhere/a.txt", text}).ok());
  testing::internal::GetCapturedStderr();
  EXPECT_TRUE(std::filesystem::exists(text));
}

TEST(RaceSummaryTest, IsNoticesAndTheLastLine) {
  RaceReport report;
  EXPECT_EQ(RaceSummary(report, 0), "fthreadprof: 0 races, exit status 0\n");
  report.notices = {"something was not seen"};
  EXPECT_EQ(RaceSummary(report, 3),
            "fthreadprof: something was not seen\nfthreadprof: 0 races, exit status 3\n");
}

TEST(RenderCoverageTest, ListsOperationsOrderAndWhatIsLost) {
  Coverage coverage;
  coverage.version = "3.13.9";
  coverage.rows = {
      {1, "entry list_length list_read 0 op=list.len", "list_read", {"list_length in a.c"}, false},
      {2, "entry PyList_Size list_read 0 op=list.len", "list_read", {"PyList_Size in a.c"}, false},
      {3, "exit acquire lock_acquired 0 ret", "lock_acquired", {"acquire in b.c"}, false},
      {4, "entry gone dict_read 0 op=dict.len", "dict_read", {}, false},
      {5, "entry perhaps dict_read 0 op=dict.copy", "dict_read", {}, true}};
  const std::string text = RenderCoverage(coverage);
  EXPECT_THAT(text, HasSubstr("CPython 3.13.9, free-threaded, instrumented; unverified"));
  EXPECT_THAT(text, HasSubstr("  list.len             PyList_Size list_length\n"));
  EXPECT_THAT(text, HasSubstr("  lock_acquired        acquire\n"));
  EXPECT_THAT(text,
              HasSubstr("this CPython has no such place: entry gone dict_read 0 op=dict.len"));
  EXPECT_THAT(text, Not(HasSubstr("perhaps")));
}

}  // namespace
}  // namespace fthreadprof
