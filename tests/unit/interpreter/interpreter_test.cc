#include "interpreter/interpreter.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "unit/interpreter/temporary_directory.h"

namespace fthreadprof {
namespace {

using ::testing::HasSubstr;

TEST(ParsePythonVersionTest, ReadsReleasesAndPrereleases) {
  const auto release = ParsePythonVersion("3.13.5");
  ASSERT_TRUE(release.ok());
  EXPECT_EQ(release->minor, 13);
  EXPECT_EQ(release->micro, 5);
  const auto prerelease = ParsePythonVersion("3.15.0rc1+");
  ASSERT_TRUE(prerelease.ok());
  EXPECT_EQ(prerelease->micro, 0);
  EXPECT_EQ(prerelease->text, "3.15.0rc1+");
}

TEST(ParsePythonVersionTest, RejectsWhatIsNone) {
  for (const char* text : {"", "3", "three", "3.", "3.13.5.1", "99999999999.1", "3.13 5"}) {
    EXPECT_FALSE(ParsePythonVersion(text).ok()) << text;
  }
}

TEST(PythonVersionTest, ComparesNumbersNotText) {
  EXPECT_TRUE(ParsePythonVersion("3.9.20")->NumbersLessThan(*ParsePythonVersion("3.13.0")));
  EXPECT_FALSE(ParsePythonVersion("3.13.0")->NumbersLessThan(*ParsePythonVersion("3.13.0")));
  EXPECT_FALSE(IsSupported(*ParsePythonVersion("3.12.99")));
  EXPECT_TRUE(IsSupported(*ParsePythonVersion("3.13.0")));
}

Interpreter Make(const std::string& version, bool free_threaded) {
  Interpreter interpreter;
  interpreter.version = *ParsePythonVersion(version);
  interpreter.free_threaded = free_threaded;
  return interpreter;
}

TEST(VersionRequestTest, NamesVersionAndBuild) {
  const Interpreter gil = Make("3.13.5", false);
  const Interpreter free_threaded = Make("3.13.5", true);
  struct Case {
    const char* request;
    bool gil;
    bool free_threaded;
  };
  for (const Case& c :
       {Case{"", true, true}, Case{"t", false, true}, Case{"3", true, false},
        Case{"3.13", true, false}, Case{"3.13t", false, true}, Case{"3.13.5t", false, true},
        Case{"3.13.4t", false, false}, Case{"3.14t", false, false}}) {
    const auto request = VersionRequest::Parse(c.request);
    ASSERT_TRUE(request.ok()) << c.request;
    EXPECT_EQ(request->Matches(gil), c.gil) << c.request;
    EXPECT_EQ(request->Matches(free_threaded), c.free_threaded) << c.request;
  }
}

TEST(VersionRequestTest, RejectsWhatIsNone) {
  for (const char* text :
       {"x", "3.x", "3.13tt", "t3", "3.13.5.1", "../3.13", "3.13 t", "2.7", "3.1", "3.12t", "4"}) {
    EXPECT_FALSE(VersionRequest::Parse(text).ok()) << text;
  }
}

TEST(IdentifyInterpreterTest, BelievesTheAnswer) {
  const TemporaryDirectory directory;
  const auto python = WriteFakePython(directory.path() / "python3", "3.14.2", true);
  const auto interpreter = IdentifyInterpreter({}, python, python);
  ASSERT_TRUE(interpreter.ok()) << interpreter.status();
  EXPECT_EQ(interpreter->version.text, "3.14.2");
  EXPECT_TRUE(interpreter->free_threaded);
  EXPECT_FALSE(interpreter->shared);
  EXPECT_EQ(interpreter->executable, python);
}

TEST(IdentifyInterpreterTest, RunsItBehindTheWrapper) {
  const TemporaryDirectory directory;
  const auto python = WriteScript(directory.path() / "python3", "echo cpython $TOLD_BY_WRAPPER 0");
  const auto interpreter = IdentifyInterpreter({"env", "TOLD_BY_WRAPPER=3.13.7"}, python, python);
  ASSERT_TRUE(interpreter.ok()) << interpreter.status();
  EXPECT_EQ(interpreter->version.text, "3.13.7");
}

TEST(IdentifyInterpreterTest, RejectsEverythingElseWithTheReason) {
  const TemporaryDirectory directory;
  const std::pair<const char*, const char*> cases[] = {
      {"echo cpython 3.12.9 0", "older than 3.13"},
      {"echo old 2.7.18 0", "not a CPython"},
      {"echo pypy 3.13.1 0", "not a CPython"},
      {"echo cpython 99999999999999.0 0", "not a CPython"},
      {"exit 1", "does not run"},
      {"echo hello", "does not run"},
      {"yes cpython 3.13.0 1 | head -c 3000000", "does not run"},
  };
  for (const auto& [script, reason] : cases) {
    const auto python = WriteScript(directory.path() / "python3", script);
    const auto result = IdentifyInterpreter({}, python, python);
    EXPECT_EQ(result.status().code(), absl::StatusCode::kFailedPrecondition) << script;
    EXPECT_THAT(std::string(result.status().message()), HasSubstr(reason)) << script;
  }
  const auto missing = IdentifyInterpreter({}, directory.path() / "none", "none");
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("not installed"));
}

TEST(UsesSharedLibpythonTest, SurvivesWhatIsNoElfFile) {
  const TemporaryDirectory directory;
  EXPECT_FALSE(UsesSharedLibpython("/nonexistent"));
  EXPECT_FALSE(UsesSharedLibpython(directory.path()));
  EXPECT_FALSE(UsesSharedLibpython(WriteTextFile(directory.path() / "text", "#!/bin/sh\n")));
  EXPECT_FALSE(UsesSharedLibpython("/proc/self/exe"));
}

TEST(UsesSharedLibpythonTest, SurvivesTruncatedElfFiles) {
  const TemporaryDirectory directory;
  const std::string sh = ReadWholeFile("/bin/sh");
  for (size_t size = 0; size < sh.size(); size += sh.size() / 50) {
    const auto path = WriteTextFile(directory.path() / "part", sh.substr(0, size));
    EXPECT_FALSE(UsesSharedLibpython(path)) << size;
  }
}

}  // namespace
}  // namespace fthreadprof
