#include "export/exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>

#include "unit/export/test_profile.h"

namespace fthreadprof {
namespace {

TEST(Exporter, FindsFormatsByName) {
  for (const std::string_view name :
       {"flamegraph", "collapsed", "speedscope", "pprof", "gecko", "perfetto", "recording"}) {
    const auto format = FindFormat(name);
    ASSERT_TRUE(format.ok());
    EXPECT_EQ((*format)->name, name);
  }
  EXPECT_EQ(ExportFormats().front().name, "flamegraph") << "the default";
}

TEST(Exporter, FindsFormatsByEnding) {
  const auto name_for = [](std::string_view path) -> std::string {
    const auto format = FindFormatForPath(path);
    return format.ok() ? std::string((*format)->name) : "";
  };
  EXPECT_EQ(name_for("out.svg"), "flamegraph");
  EXPECT_EQ(name_for("/tmp/a.b/out.folded"), "collapsed");
  EXPECT_EQ(name_for("out.collapsed"), "collapsed");
  EXPECT_EQ(name_for("out.speedscope.json"), "speedscope");
  EXPECT_EQ(name_for("out.pb.gz"), "pprof");
  EXPECT_EQ(name_for("out.gecko.json"), "gecko");
  EXPECT_EQ(name_for("out.perfetto-trace"), "perfetto");
  EXPECT_EQ(name_for("out.ftp"), "recording");
  EXPECT_EQ(name_for("out.json"), "");
  EXPECT_EQ(name_for("svg"), "");
  EXPECT_EQ(name_for("-"), "");
  EXPECT_EQ(name_for(""), "");
}

TEST(Exporter, SaysWhatIsKnown) {
  EXPECT_EQ(FindFormat("html").status().message(),
            "there is no output format 'html'; known are flamegraph, collapsed, speedscope, pprof, "
            "gecko, perfetto, recording");
  EXPECT_EQ(
      FindFormatForPath("out.txt").status().message(),
      "cannot tell the output format from the name out.txt; name one with -f, or end the name "
      "in .svg (flamegraph), .folded (collapsed), .collapsed (collapsed), .speedscope.json "
      "(speedscope), .pb.gz (pprof), .gecko.json (gecko), .perfetto-trace (perfetto), .ftp "
      "(recording)");
}

TEST(Exporter, EndingsAreDistinct) {
  std::set<std::string_view> endings;
  for (const ExportFormat& format : ExportFormats()) {
    for (const std::string_view ending : format.endings) {
      EXPECT_TRUE(endings.insert(ending).second) << ending;
    }
  }
}

TEST(Exporter, WritesFilesAndReportsFailures) {
  const std::string path = testing::TempDir() + "exporter_test." + std::to_string(getpid());
  for (const ExportFormat& format : ExportFormats()) {
    if (format.write == nullptr) continue;  // recording_test.cc
    EXPECT_TRUE(ExportToFile(SmallProfile(), format, {}, path).ok());
    EXPECT_GT(std::filesystem::file_size(path), 0u);
    std::filesystem::remove(path);
    EXPECT_TRUE(absl::IsNotFound(ExportToFile(SmallProfile(), format, {}, path + "/none/x")));
    EXPECT_TRUE(absl::IsResourceExhausted(ExportToFile(SmallProfile(), format, {}, "/dev/full")));
  }
}

}  // namespace
}  // namespace fthreadprof
