#include "cli/race_packages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "unit/interpreter/temporary_directory.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Line(const std::string& what, const std::string& text) {
  return "\nfthreadprof " + what + " " + absl::BytesToHexString(text) + "\n";
}

TEST(ParsePackagesAnswerTest, TakesDirectoriesThatExistOnce) {
  TemporaryDirectory directory;
  const std::string site = directory.path() / "site \n packages", user = directory.path() / "user";
  fs::create_directories(site);
  fs::create_directories(user);
  const absl::StatusOr<PythonPackages> packages =
      ParsePackagesAnswer("hello from sitecustomize" + Line("version", "3.13.5") +
                          Line("prefix", "/venv") + Line("virtual", "yes") + Line("site", site) +
                          Line("site", "/nowhere") + Line("site", site) + Line("user", user));
  ASSERT_TRUE(packages.ok()) << packages.status();
  EXPECT_EQ(packages->version, "3.13.5");
  EXPECT_EQ(packages->MinorVersion(), "3.13");
  EXPECT_EQ(packages->prefix, "/venv");
  EXPECT_TRUE(packages->is_virtual);
  EXPECT_THAT(packages->site, ElementsAre(site));
  EXPECT_THAT(packages->user_site, ElementsAre(user));
}

TEST(ParsePackagesAnswerTest, FailsWithoutAnAnswer) {
  EXPECT_FALSE(ParsePackagesAnswer("").ok());
  EXPECT_FALSE(ParsePackagesAnswer("fthreadprof version 332e3133").ok());
  EXPECT_FALSE(ParsePackagesAnswer("fthreadprof prefix\nfthreadprof\n\n").ok());
}

TEST(PythonPackagesTest, MinorVersionOfNothingIsNothing) {
  EXPECT_EQ(PythonPackages().MinorVersion(), "");
}

class VirtualEnvironmentTest : public testing::Test {
 protected:
  VirtualEnvironmentTest() {
    fs::create_directories(site());
    WriteTextFile(prefix() / "pyvenv.cfg",
                  "home = /nowhere/bin\ninclude-system-site-packages = false\nversion = 3.12.4\n");
  }
  fs::path prefix() const { return directory_.path() / "venv"; }
  fs::path site() const { return prefix() / "lib/python3.12/site-packages"; }

  TemporaryDirectory directory_;
};

TEST_F(VirtualEnvironmentTest, IsUnderstoodByItsFiles) {
  const PythonPackages packages = PackagesOfVirtualEnvironment(prefix());
  EXPECT_EQ(packages.version, "3.12.4");
  EXPECT_TRUE(packages.is_virtual);
  EXPECT_THAT(packages.site, ElementsAre(site()));
}

TEST_F(VirtualEnvironmentTest, WhosePythonDoesNotRunIsAskedByItsFiles) {
  fs::create_directories(prefix() / "bin");
  fs::create_symlink("/nowhere/bin/python3", prefix() / "bin/python");
  const absl::StatusOr<PythonPackages> packages = AskForPackages(prefix() / "bin/python");
  ASSERT_TRUE(packages.ok()) << packages.status();
  EXPECT_THAT(packages->site, ElementsAre(site()));
  EXPECT_EQ(packages->scripts, prefix() / "bin");
}

TEST(AskForPackagesTest, AsksThePythonItself) {
  TemporaryDirectory directory;
  const fs::path python = WriteScript(
      directory.path() / "bin/python",
      "echo noise; echo fthreadprof version 332e31332e35; echo fthreadprof prefix 2f75");
  const absl::StatusOr<PythonPackages> packages = AskForPackages(python);
  ASSERT_TRUE(packages.ok()) << packages.status();
  EXPECT_EQ(packages->version, "3.13.5");
  EXPECT_EQ(packages->prefix, "/u");
  EXPECT_FALSE(packages->is_virtual);
  EXPECT_THAT(packages->site, IsEmpty());
}

TEST(AskForPackagesTest, SaysWhichDoesNotAnswer) {
  TemporaryDirectory directory;
  const fs::path python = WriteScript(directory.path() / "bin/python", "exit 3");
  EXPECT_THAT(std::string(AskForPackages(python).status().message()), HasSubstr(python.string()));
}

}  // namespace
}  // namespace fthreadprof
