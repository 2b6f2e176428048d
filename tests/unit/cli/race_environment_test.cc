#include "cli/race_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "unit/interpreter/temporary_directory.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class RaceEnvironmentTest : public testing::Test {
 protected:
  RaceEnvironmentTest() : saved_path_(std::getenv("PATH")) {
    interpreter_ = {WriteScript(directory_.path() / "race/bin/python3.13", ""), "3.13.5"};
    packages_.version = "3.13.1";
    packages_.prefix = directory_.path() / "venv";
    packages_.scripts = packages_.prefix / "bin";
    packages_.site = {packages_.prefix / "lib/with \"quotes\" \\ and \xff"};
    packages_.is_virtual = true;
    fs::create_directories(packages_.prefix / "share");
    fs::create_directories(packages_.scripts);
    setenv("PATH", packages_.scripts.c_str(), 1);
  }
  ~RaceEnvironmentTest() override { setenv("PATH", saved_path_.c_str(), 1); }

  RaceEnvironment Make() {
    const absl::StatusOr<RaceEnvironment> environment =
        MakeRaceEnvironment(directory_.path() / "environments", interpreter_, packages_);
    EXPECT_TRUE(environment.ok()) << environment.status();
    return environment.value_or(RaceEnvironment());
  }

  void WriteProgram(const std::string& name, const std::string& text) {
    WriteTextFile(packages_.scripts / name, text);
    fs::permissions(packages_.scripts / name, fs::perms(0755));
  }

  TemporaryDirectory directory_;
  RaceInterpreter interpreter_;
  PythonPackages packages_;
  const std::string saved_path_;
};

TEST_F(RaceEnvironmentTest, IsAVirtualEnvironmentOfTheInterpreter) {
  const RaceEnvironment environment = Make();
  for (const char* name : {"python", "python3", "python3.13", "python3.13t"}) {
    EXPECT_EQ(fs::read_symlink(environment.bin / name), interpreter_.executable) << name;
  }
  const fs::path prefix = environment.bin.parent_path();
  EXPECT_THAT(ReadWholeFile(prefix / "pyvenv.cfg"),
              HasSubstr("home = " + (directory_.path() / "race/bin").string() + "\n"));
  EXPECT_EQ(environment.packages, prefix / "lib/python3.13t/site-packages");
  EXPECT_EQ(fs::read_symlink(prefix / "share"), packages_.prefix / "share");
  EXPECT_FALSE(fs::exists(prefix / "etc"));
}

TEST_F(RaceEnvironmentTest, NamesDirectoriesOfAnyBytes) {
  EXPECT_THAT(
      ReadWholeFile(Make().packages / "_fthreadprof_race.py"),
      HasSubstr("\\x20\\x22\\x71\\x75\\x6f\\x74\\x65\\x73\\x22\\x20\\x5c\\x20\\x61\\x6e\\x64"
                "\\x20\\xff\", )\n"));
}

TEST_F(RaceEnvironmentTest, IsTheSameForTheSame) {
  const RaceEnvironment first = Make();
  WriteTextFile(first.packages / "installed.py", "");
  EXPECT_EQ(Make().bin, first.bin);
  EXPECT_TRUE(fs::exists(first.packages / "installed.py"));
  packages_.user_site = {"/home/me/.local/lib"};
  EXPECT_NE(Make().bin, first.bin);
}

TEST_F(RaceEnvironmentTest, SaysWhatCannotBeWritten) {
  WriteTextFile(directory_.path() / "file", "");
  const absl::StatusOr<RaceEnvironment> environment =
      MakeRaceEnvironment(directory_.path() / "file/environments", interpreter_, packages_);
  EXPECT_THAT(std::string(environment.status().message()), HasSubstr("XDG_CACHE_HOME"));
}

TEST_F(RaceEnvironmentTest, ShimsLeadOtherWaysToPython) {
  const fs::path python = WriteScript(packages_.scripts / "python3.12", "");
  WriteProgram("tool", "#!" + python.string() + " -u\n");
  WriteProgram("shell", "#!/bin/sh\n");
  WriteProgram("other", "#!" + WriteScript(directory_.path() / "else/bin/python3", "").string());
  const RaceEnvironment environment = Make();
  const fs::path shims = directory_.path() / "shims";
  fs::create_directory(shims);
  ASSERT_TRUE(WriteShims(shims, environment, packages_).ok());
  EXPECT_EQ(ReadWholeFile(shims / "python3.12"),
            "#!/bin/sh\nexec " + environment.python().string() + " \"$@\"\n");
  EXPECT_EQ(ReadWholeFile(shims / "tool"), "#!/bin/sh\nexec " + environment.python().string() +
                                               " -u " + (packages_.scripts / "tool").string() +
                                               " \"$@\"\n");
  EXPECT_EQ(fs::status(shims / "tool").permissions() & fs::perms::owner_exec,
            fs::perms::owner_exec);
  EXPECT_FALSE(fs::exists(shims / "shell"));
  EXPECT_FALSE(fs::exists(shims / "other"));
  EXPECT_FALSE(fs::exists(shims / "python3.13"));
}

TEST_F(RaceEnvironmentTest, OutsideOfVirtualEnvironmentsOnlyPytestHasAShim) {
  const fs::path python = WriteScript(packages_.scripts / "python3", "");
  WriteProgram("pytest", "#!" + python.string() + "\n");
  WriteProgram("system-tool", "#!" + python.string() + "\n");
  packages_.is_virtual = false;
  const fs::path shims = directory_.path() / "shims";
  fs::create_directory(shims);
  ASSERT_TRUE(WriteShims(shims, Make(), packages_).ok());
  EXPECT_TRUE(fs::exists(shims / "pytest"));
  EXPECT_FALSE(fs::exists(shims / "system-tool"));
}

TEST(ShellQuoteTest, KeepsEverything) {
  EXPECT_EQ(ShellQuote("/usr/bin/python3.13"), "/usr/bin/python3.13");
  EXPECT_EQ(ShellQuote("a b"), "'a b'");
  EXPECT_EQ(ShellQuote("$HOME"), "'$HOME'");
  EXPECT_EQ(ShellQuote("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellQuote(""), "''");
}

}  // namespace
}  // namespace fthreadprof
