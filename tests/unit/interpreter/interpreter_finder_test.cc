#include "interpreter/interpreter_finder.h"

#include <stdlib.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "unit/interpreter/temporary_directory.h"

namespace fthreadprof {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Describe(const FoundInterpreters& found) {
  std::vector<std::string> lines;
  for (const Interpreter& interpreter : found.interpreters) {
    lines.push_back(interpreter.version.text + (interpreter.free_threaded ? "t " : " ") +
                    OriginName(interpreter.origin));
  }
  return lines;
}

TEST(FindInterpretersTest, LooksEverywhereAndSorts) {
  const TemporaryDirectory directory;
  const std::filesystem::path& top = directory.path();
  WriteFakePython(top / "path/python3.14", "3.14.1", false);
  WriteFakePython(top / "uv/cpython-3.14/bin/python3.14t", "3.14.1", true);
  WriteFakePython(top / "pyenv/3.13.1/bin/python", "3.13.1", false);
  WriteFakePython(top / "cached/key/bin/python3", "3.13.5", true);
  WriteFakePython(top / "cached/half.building/bin/python3", "3.13.5", true);
  WriteFakePython(top / "prefix/bin/python3", "3.15.0", true);
  WriteFakePython(top / "directory/python3", "3.15.1", true);
  WriteFakePython(top / "single", "3.15.2", true);
  InterpreterPlaces places;
  places.named = {top / "prefix", top / "directory", top / "single", top / "none"};
  places.path = {top / "none", top / "path"};
  places.cached = top / "cached";
  places.uv = top / "uv";
  places.pyenv = top / "pyenv";
  places.roots = top / "none";
  const FoundInterpreters found = FindInterpreters(places);
  EXPECT_THAT(Describe(found),
              ElementsAre("3.13.1 pyenv", "3.13.5t cache", "3.14.1t uv", "3.14.1 path",
                          "3.15.0t environment", "3.15.1t environment", "3.15.2t environment"));
  EXPECT_THAT(found.skipped, IsEmpty());
}

TEST(FindInterpretersTest, ListsAFileOnceUnderThePreferredName) {
  const TemporaryDirectory directory;
  const std::filesystem::path& top = directory.path();
  WriteFakePython(top / "uv/c/bin/python3.13", "3.13.1", false);
  std::filesystem::create_symlink("python3.13", top / "uv/c/bin/python3");
  std::filesystem::create_hard_link(top / "uv/c/bin/python3.13", top / "uv/c/bin/python3.13t");
  std::filesystem::create_directories(top / "path");
  std::filesystem::create_symlink(top / "uv/c/bin/python3", top / "path/python3");
  InterpreterPlaces places;
  places.path = {top / "path"};
  places.uv = top / "uv";
  const FoundInterpreters found = FindInterpreters(places);
  EXPECT_THAT(Describe(found), ElementsAre("3.13.1 path"));
  EXPECT_EQ(found.interpreters[0].executable, top / "path/python3");
}

TEST(FindInterpretersTest, RunsNothingThatCannotBeOne) {
  const TemporaryDirectory directory;
  const std::filesystem::path& top = directory.path();
  const std::string betray = "touch " + (top / "was-run").string();
  for (const char* name : {"python3.12", "python2", "python2.7", "python3-config", "pythonw",
                           "python3.13-config", "python3.13m", "ipython3", "python3.13.bak"}) {
    WriteScript(top / "bin" / name, betray);
  }
  WriteScript(top / "shims/python3", betray);
  WriteTextFile(top / "bin/python3.14", "not executable");
  std::filesystem::create_directories(top / "bin/python3.15");
  std::filesystem::create_symlink("nowhere", top / "bin/python3");
  InterpreterPlaces places;
  places.path = {top / "bin", top / "shims"};
  const FoundInterpreters found = FindInterpreters(places);
  EXPECT_THAT(Describe(found), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(top / "was-run"));
}

TEST(FindInterpretersTest, SaysWhyACandidateIsLeftOut) {
  const TemporaryDirectory directory;
  WriteFakePython(directory.path() / "python3", "3.11.2", false);
  WriteScript(directory.path() / "python3.13", "exit 1");
  InterpreterPlaces places;
  places.path = {directory.path()};
  const FoundInterpreters found = FindInterpreters(places);
  EXPECT_THAT(found.interpreters, IsEmpty());
  EXPECT_THAT(found.skipped, Contains(HasSubstr("python3 is 3.11.2, older than 3.13")));
  EXPECT_THAT(found.skipped, Contains(HasSubstr("python3.13 does not run")));
}

TEST(PlacesFromEnvironmentTest, ReadsTheVariables) {
  setenv("HOME", "/home/someone", 1);
  setenv("FTHREADPROF_PYTHONS", "/a/python::/b", 1);
  setenv("PATH", "/bin:/usr/bin", 1);
  unsetenv("UV_PYTHON_INSTALL_DIR");
  unsetenv("XDG_DATA_HOME");
  unsetenv("PYENV_ROOT");
  InterpreterPlaces places = PlacesFromEnvironment(CacheLayout("/c"));
  EXPECT_THAT(places.named, ElementsAre("/a/python", "/b"));
  EXPECT_THAT(places.path, ElementsAre("/bin", "/usr/bin"));
  EXPECT_EQ(places.uv, "/home/someone/.local/share/uv/python");
  EXPECT_EQ(places.pyenv, "/home/someone/.pyenv/versions");
  EXPECT_EQ(places.cached, "/c/interpreters");
  setenv("UV_PYTHON_INSTALL_DIR", "/uv", 1);
  setenv("PYENV_ROOT", "/pyenv", 1);
  places = PlacesFromEnvironment(CacheLayout("/c"));
  EXPECT_EQ(places.uv, "/uv");
  EXPECT_EQ(places.pyenv, "/pyenv/versions");
}

Interpreter Found(const std::string& version, bool free_threaded, const std::string& root = "") {
  Interpreter interpreter;
  interpreter.version = *ParsePythonVersion(version);
  interpreter.free_threaded = free_threaded;
  interpreter.executable = "/" + version;
  interpreter.root = root;
  return interpreter;
}

TEST(ChooseInterpreterTest, TakesTheNewestThatRunsHere) {
  FoundInterpreters found;
  found.interpreters = {Found("3.13.5", true), Found("3.13.9", true), Found("3.14.0", false),
                        Found("3.15.0", true, "/root")};
  const auto choose = [&found](const std::string& text) {
    const auto chosen = ChooseInterpreter(found, *VersionRequest::Parse(text), text);
    return chosen.ok() ? chosen->executable.string() : std::string(chosen.status().message());
  };
  EXPECT_EQ(choose("t"), "/3.13.9");
  EXPECT_EQ(choose("3.13t"), "/3.13.9");
  EXPECT_EQ(choose("3.13.5t"), "/3.13.5");
  EXPECT_EQ(choose(""), "/3.14.0");
  EXPECT_THAT(choose("3.15t"), HasSubstr("no CPython 3.15t was found"));
}

}  // namespace
}  // namespace fthreadprof
