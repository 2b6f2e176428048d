#include "cli/race_other_builds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/interpreter/temporary_directory.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class OtherBuildsTest : public testing::Test {
 protected:
  std::vector<std::string> Explain() {
    const RaceInterpreter interpreter = {"/race/bin/python3.13", "3.13.5"};
    const RaceEnvironment environment = {"/env/bin", "/env/lib"};
    return ExplainOtherBuilds(directory_.path(), interpreter, environment);
  }
  void Note(const std::string& text) { WriteTextFile(directory_.path() / "other-builds", text); }

  TemporaryDirectory directory_;
};

TEST_F(OtherBuildsTest, NothingWithoutNotes) { EXPECT_THAT(Explain(), IsEmpty()); }

TEST_F(OtherBuildsTest, OneSentenceForAPackage) {
  Note(
      "numpy._core._multiarray_umath\t/site/numpy/_core\t_multiarray_umath.cpython-311-x86_64.so\n"
      "numpy.random\t/site/numpy\trandom.cpython-311-x86_64.so\n");
  EXPECT_THAT(
      Explain(),
      ElementsAre("numpy has no build for free-threaded CPython 3.13 "
                  "(numpy._core._multiarray_umath is built for cpython-311-x86_64); install "
                  "one with: /race/bin/python3.13 -m pip install --target /env/lib numpy"));
}

TEST_F(OtherBuildsTest, NamesWhatPipCallsIt) {
  const fs::path site = directory_.path() / "site";
  WriteTextFile(site / "other-1.0.dist-info/RECORD", "other/__init__.py,,\nyaml2/x.py,,\n");
  WriteTextFile(site / "PyYAML-6.0.1.dist-info/RECORD", "yaml/__init__.py,,\n");
  Note("yaml._yaml\t" + (site / "yaml").string() + "\t_yaml.so\n");
  ASSERT_EQ(Explain().size(), 1u);
  EXPECT_TRUE(Explain()[0].ends_with(" PyYAML")) << Explain()[0];
  EXPECT_NE(Explain()[0].find("is built for another Python"), std::string::npos);
}

TEST_F(OtherBuildsTest, LeavesOutWhatItDoesNotUnderstand) {
  Note("\n\t\n\t\t\nname only\na\tb\tc\td\n");
  EXPECT_LE(Explain().size(), 1u);
}

TEST_F(OtherBuildsTest, KnowsWhetherAPythonRan) {
  EXPECT_FALSE(RanPython(directory_.path()));
  WriteTextFile(directory_.path() / "pythons", "12\n");
  EXPECT_TRUE(RanPython(directory_.path()));
}

}  // namespace
}  // namespace fthreadprof
