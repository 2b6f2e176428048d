#include "cli/race_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "unit/interpreter/temporary_directory.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::optional<Shebang> Expect(const std::string& interpreter,
                              const std::vector<std::string>& arguments = {}) {
  return Shebang{interpreter, arguments};
}

TEST(ParseShebangTest, NamesAnInterpreter) {
  EXPECT_EQ(ParseShebang("#!/usr/bin/python3\nprint()\n"), Expect("/usr/bin/python3"));
  EXPECT_EQ(ParseShebang("#! /usr/bin/python3 \r\n"), Expect("/usr/bin/python3"));
  EXPECT_EQ(ParseShebang("#!/usr/bin/python3"), Expect("/usr/bin/python3"));
}

TEST(ParseShebangTest, TheRestIsOneArgument) {
  EXPECT_EQ(ParseShebang("#!/usr/bin/python3 -I -u\n"), Expect("/usr/bin/python3", {"-I -u"}));
}

TEST(ParseShebangTest, SeesThroughEnv) {
  EXPECT_EQ(ParseShebang("#!/usr/bin/env python3\n"), Expect("python3"));
  EXPECT_EQ(ParseShebang("#!/usr/bin/env -S python3 -I -u\n"), Expect("python3", {"-I", "-u"}));
  EXPECT_EQ(ParseShebang("#!/bin/env -Spython3 -X dev\n"), Expect("python3", {"-X", "dev"}));
  EXPECT_EQ(ParseShebang("#!/usr/bin/env --split-string=python3 -u\n"), Expect("python3", {"-u"}));
}

TEST(ParseShebangTest, LeavesToEnvWhatOnlyEnvUnderstands) {
  for (const char* rest : {"-S PYTHONPATH=x python3", "-i python3", "-S 'py thon3'", "-S"}) {
    const std::optional<Shebang> shebang = ParseShebang(std::string("#!/usr/bin/env ") + rest);
    ASSERT_TRUE(shebang.has_value());
    EXPECT_EQ(shebang->interpreter, "/usr/bin/env") << rest;
  }
  EXPECT_EQ(ParseShebang("#!/usr/bin/env\n"), Expect("/usr/bin/env"));
}

TEST(ParseShebangTest, SeesThroughPipsTrampoline) {
  EXPECT_EQ(ParseShebang("#!/bin/sh\n'''exec' /long/bin/python3 \"$0\" \"$@\"\n' '''\n"),
            Expect("/long/bin/python3"));
  EXPECT_EQ(ParseShebang("#!/bin/sh\n'''exec' \"/with a space/python\" \"$0\" \"$@\"\n' '''\n"),
            Expect("/with a space/python"));
}

TEST(ParseShebangTest, AShellScriptIsOne) {
  EXPECT_EQ(ParseShebang("#!/bin/sh\nexec python3 \"$0\"\n"), Expect("/bin/sh"));
  EXPECT_EQ(ParseShebang("#!/bin/sh\n'''exec' python3\n"), Expect("/bin/sh"));
  EXPECT_EQ(ParseShebang("#!/bin/sh"), Expect("/bin/sh"));
}

TEST(ParseShebangTest, NothingWithoutOne) {
  EXPECT_EQ(ParseShebang(""), std::nullopt);
  EXPECT_EQ(ParseShebang("\x7f"
                         "ELF#!/bin/sh"),
            std::nullopt);
  EXPECT_EQ(ParseShebang("#!\n/bin/sh"), std::nullopt);
}

TEST(IsPythonNameTest, KnowsThem) {
  for (const char* name : {"python", "python3", "python3t", "python3.13", "python3.14t"}) {
    EXPECT_TRUE(IsPythonName(name)) << name;
  }
  for (const char* name :
       {"", "python2", "python2.7", "pypy3", "python3-config", "python3.13-config", "ipython",
        "/usr/bin/python3", "python3.", "pythonw"}) {
    EXPECT_FALSE(IsPythonName(name)) << name;
  }
}

// A PATH of one directory of our own.
class ResolveRaceTargetTest : public testing::Test {
 protected:
  ResolveRaceTargetTest() : saved_path_(std::getenv("PATH")) {
    setenv("PATH", bin().c_str(), 1);
    unsetenv("VIRTUAL_ENV");
  }
  ~ResolveRaceTargetTest() override { setenv("PATH", saved_path_.c_str(), 1); }

  fs::path bin() const { return directory_.path() / "bin"; }

  fs::path WriteProgram(const fs::path& path, const std::string& text) {
    WriteTextFile(path, text);
    fs::permissions(path, fs::perms(0755));
    return path;
  }

  RaceTarget Resolve(const std::vector<std::string>& command) {
    absl::StatusOr<RaceTarget> target = ResolveRaceTarget(command);
    EXPECT_TRUE(target.ok()) << target.status();
    return target.ok() ? *target : RaceTarget();
  }

  std::string WhyNot(const std::vector<std::string>& command) {
    return std::string(ResolveRaceTarget(command).status().message());
  }

  TemporaryDirectory directory_;
  const std::string saved_path_;
};

TEST_F(ResolveRaceTargetTest, PythonByName) {
  const fs::path python = WriteScript(bin() / "python3", "");
  const RaceTarget target = Resolve({"python3", "-u", "app.py"});
  EXPECT_EQ(target.kind, RaceTarget::Kind::kPython);
  EXPECT_EQ(target.python, python);
  EXPECT_THAT(target.CommandLine("/race/python3"), ElementsAre("/race/python3", "-u", "app.py"));
}

TEST_F(ResolveRaceTargetTest, PythonByPath) {
  const fs::path python = WriteScript(directory_.path() / "venv/bin/python3.13t", "");
  const RaceTarget target = Resolve({python, "app.py"});
  EXPECT_EQ(target.kind, RaceTarget::Kind::kPython);
  EXPECT_EQ(target.python, python);
}

TEST_F(ResolveRaceTargetTest, PythonThatIsNotThereIsReplacedAllTheSame) {
  const RaceTarget none = Resolve({"python", "app.py"});
  EXPECT_EQ(none.kind, RaceTarget::Kind::kPython);
  EXPECT_EQ(none.python, fs::path());
  const fs::path python3 = WriteScript(bin() / "python3", "");
  EXPECT_EQ(Resolve({"python", "app.py"}).python, python3);
}

TEST_F(ResolveRaceTargetTest, ScriptOnPath) {
  const fs::path python = WriteScript(directory_.path() / "venv/bin/python", "");
  const fs::path pytest =
      WriteProgram(bin() / "pytest", "#!" + python.string() + " -I\nimport sys\n");
  const RaceTarget target = Resolve({"pytest", "-k", "x"});
  EXPECT_EQ(target.kind, RaceTarget::Kind::kScript);
  EXPECT_EQ(target.python, python);
  EXPECT_THAT(target.CommandLine("/race/python3"),
              ElementsAre("/race/python3", "-I", pytest, "-k", "x"));
}

TEST_F(ResolveRaceTargetTest, ScriptByPathKeepsItsName) {
  WriteScript(bin() / "python3", "");
  WriteProgram(directory_.path() / "tool", "#!/usr/bin/env python3\n");
  const std::string name = directory_.path() / "bin/../tool";
  EXPECT_THAT(Resolve({name}).CommandLine("/race/python3"), ElementsAre("/race/python3", name));
  EXPECT_EQ(Resolve({name}).python, bin() / "python3");
}

TEST_F(ResolveRaceTargetTest, ScriptOfAPythonThatIsGone) {
  WriteProgram(bin() / "tool", "#!/nowhere/bin/python3\n");
  EXPECT_THAT(WhyNot({"tool"}), HasSubstr("names /nowhere/bin/python3, which does not exist"));
}

TEST_F(ResolveRaceTargetTest, AnythingElseRunsAsItIs) {
  const fs::path python = WriteScript(bin() / "python", "");
  const fs::path make = WriteScript(bin() / "make", "");
  const RaceTarget target = Resolve({"make", "test"});
  EXPECT_EQ(target.kind, RaceTarget::Kind::kOther);
  EXPECT_EQ(target.python, python);
  EXPECT_THAT(target.CommandLine("/race/python3"), ElementsAre(make, "test"));
}

TEST_F(ResolveRaceTargetTest, VirtualEnvironmentWhenPathHasNoPython) {
  WriteScript(bin() / "make", "");
  const fs::path python = WriteScript(directory_.path() / "venv/bin/python", "");
  setenv("VIRTUAL_ENV", (directory_.path() / "venv").c_str(), 1);
  EXPECT_EQ(Resolve({"make"}).python, python);
  EXPECT_EQ(Resolve({"python"}).python, python);
  const fs::path first = WriteScript(bin() / "python3", "");
  EXPECT_EQ(Resolve({"make"}).python, first);
}

TEST_F(ResolveRaceTargetTest, PyenvsShimsStandForWhatPyenvSays) {
  const fs::path root = directory_.path();
  const fs::path python = WriteScript(root / "versions/3.13/bin/python", "");
  const fs::path script =
      WriteProgram(root / "versions/3.13/bin/pytest", "#!" + python.string() + "\n");
  const fs::path pyenv =
      WriteScript(root / "libexec/pyenv", "test \"$1\" = which && echo " + root.string() +
                                              "/versions/3.13/bin/$2 && test -e " + root.string() +
                                              "/versions/3.13/bin/$2");
  const std::string shim =
      "\nprogram=\"${0##*/}\"\nexec \"" + pyenv.string() + "\" exec \"$program\" \"$@\"";
  for (const char* name : {"python", "pytest", "missing"}) WriteScript(root / "shims" / name, shim);
  setenv("PATH", (root / "shims:/bin:/usr/bin").c_str(), 1);
  EXPECT_EQ(Resolve({"python"}).python, python);
  EXPECT_THAT(Resolve({"pytest"}).CommandLine("/race/python3"),
              ElementsAre("/race/python3", script));
  EXPECT_EQ(Resolve({"pytest"}).python, python);
  EXPECT_THAT(WhyNot({"missing"}), HasSubstr("pyenv has no missing"));
}

TEST_F(ResolveRaceTargetTest, SaysWhyNothingCanBeRun) {
  EXPECT_THAT(WhyNot({"nosuch"}), HasSubstr("no such command on PATH"));
  EXPECT_THAT(WhyNot({"./nosuch"}), HasSubstr("there is no such file"));
  EXPECT_THAT(WhyNot({directory_.path()}), HasSubstr("it is a directory"));
  const std::string file = WriteTextFile(directory_.path() / "app.py", "");
  EXPECT_THAT(WhyNot({file}), HasSubstr("it is not executable"));
}

TEST(ReadStartOfFileTest, ReadsRegularFilesOnly) {
  TemporaryDirectory directory;
  const fs::path file = WriteTextFile(directory.path() / "file", std::string(100000, 'x'));
  EXPECT_LE(ReadStartOfFile(file).size(), 4096u);
  EXPECT_THAT(ReadStartOfFile(directory.path()), IsEmpty());
  EXPECT_THAT(ReadStartOfFile(directory.path() / "nosuch"), IsEmpty());
}

}  // namespace
}  // namespace fthreadprof
