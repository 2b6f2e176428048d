#include "interpreter/interpreter_builder.h"

#include <stdlib.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "interpreter/coverage.h"
#include "unit/interpreter/fake_source.h"
#include "unit/interpreter/temporary_directory.h"

namespace fthreadprof {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class InterpreterBuilderTest : public ::testing::Test {
 protected:
  // A compiler whose version never changes and that compiles everything to nothing.
  void SetUp() override {
    SetCompiler("Debian clang version 19.1.7");
    resources_ = directory_.path() / "resources";
    WriteTextFile(resources_ / "fthreadprof_race_pass.so", std::string("plug\0in", 7));
    WriteTable("verified 3.13.9\nentry f list_read 0 op=list.len\n");
    WriteTextFile(resources_ / "runtime/runtime.cc", "");
    WriteTextFile(resources_ / "runtime/cpython_bridge.c", "");
    WriteTextFile(resources_ / "include/fthreadprof/race_abi.h", "");
    setenv("FTHREADPROF_RESOURCES", resources_.c_str(), 1);
  }
  void TearDown() override {
    unsetenv("CC");
    unsetenv("FTHREADPROF_RESOURCES");
  }

  void SetCompiler(const std::string& version) {
    const auto compiler =
        WriteScript(directory_.path() / "cc", "echo '" + version +
                                                  "'\nwhile [ $# -gt 1 ]; do\n"
                                                  "  [ \"$1\" = -o ] && touch \"$2\"\n"
                                                  "  shift\ndone\nexit 0");
    setenv("CC", compiler.c_str(), 1);
  }
  void WriteTable(const std::string& text) {
    WriteTextFile(resources_ / "cpython/3.13.table", text);
  }

  // Instrumented; `hits` is a printf format of what the plugin would say.
  BuildSpec RaceSpec(const std::string& hits, const std::string& version = "3.13.9") {
    BuildSpec spec = Spec(version, "printf '" + hits + "' >>\"$$FTHREADPROF_RACE_HITS\"");
    spec.flavor = kRaceFlavor;
    return spec;
  }

  BuildSpec Spec(const std::string& version = "3.13.9",
                 const std::string& while_compiling = "true") {
    BuildSpec spec;
    spec.source = WriteFakeSource(directory_.path() / "source", version, while_compiling);
    return spec;
  }

  // The executable's path, or the error's message.
  std::string Build(const BuildSpec& spec) {
    BuildListener listener;
    listener.on_progress = [this](const std::string& step) { steps_.push_back(step); };
    listener.on_notice = [this](const std::string& notice) { notices_.push_back(notice); };
    const auto executable = InterpreterBuilder(cache_, listener).Build(spec);
    return executable.ok() ? executable->string() : std::string(executable.status().message());
  }

  const TemporaryDirectory directory_;
  const CacheLayout cache_{directory_.path() / "cache"};
  std::filesystem::path resources_;
  std::vector<std::string> steps_;
  std::vector<std::string> notices_;
};

TEST_F(InterpreterBuilderTest, BuildsOnce) {
  const std::string executable = Build(Spec());
  ASSERT_THAT(CachedInterpreters(cache_), SizeIs(1));
  const std::string key = CachedInterpreters(cache_)[0];
  EXPECT_THAT(key, HasSubstr("cpython-3.13.9t-"));
  EXPECT_EQ(executable, (cache_.Prefix(key) / "bin/python3").string());
  EXPECT_TRUE(IdentifyInterpreter({}, executable, executable).ok());
  EXPECT_TRUE(std::filesystem::exists(cache_.Log(key)));
  EXPECT_FALSE(std::filesystem::exists(cache_.Staging(key)));
  EXPECT_THAT(steps_, Contains("compiling"));
  steps_.clear();
  EXPECT_EQ(Build(Spec()), executable);
  EXPECT_THAT(steps_, IsEmpty());
}

TEST_F(InterpreterBuilderTest, KeepsSettingsSourcesAndCompilersApart) {
  BuildSpec spec = Spec();
  Build(spec);
  spec.free_threaded = false;
  Build(spec);
  spec.shared = true;
  Build(spec);
  WriteTextFile(spec.source / "Python/new.c", "");
  Build(spec);
  EXPECT_THAT(CachedInterpreters(cache_), SizeIs(4));
  SetCompiler("Debian clang version 19.1.8");
  Build(spec);
  EXPECT_THAT(CachedInterpreters(cache_), SizeIs(5));
}

TEST_F(InterpreterBuilderTest, AnInstrumentedOneDependsOnAllThatInstrumentsIt) {
  const BuildSpec spec = RaceSpec("2\\tf\\tf.c\\n");
  const std::string executable = Build(spec);
  EXPECT_THAT(executable, HasSubstr("cpython-3.13.9t-race-"));
  EXPECT_EQ(Build(spec), executable);
  size_t built = 1;
  for (const char* file : {"fthreadprof_race_pass.so", "runtime/runtime.cc", "runtime/new.h",
                           "include/fthreadprof/race_abi.h"}) {
    WriteTextFile(resources_ / file, "changed");
    Build(spec);
    EXPECT_THAT(CachedInterpreters(cache_), SizeIs(++built)) << file;
  }
  WriteTable("# new\nentry f list_read 0 op=list.len\n");
  Build(spec);
  EXPECT_THAT(CachedInterpreters(cache_), SizeIs(++built));
}

TEST_F(InterpreterBuilderTest, AnInstrumentedOneTellsWhatItTracks) {
  const std::string executable = Build(RaceSpec("2\\tf\\tf.c\\n2\\tf\\tg.c\\n"));
  EXPECT_TRUE(IdentifyInterpreter({}, executable, executable)->race);
  const auto prefix = std::filesystem::path(executable).parent_path().parent_path();
  const auto coverage = ReadCoverage(CoverageFile(prefix));
  ASSERT_TRUE(coverage.ok()) << coverage.status();
  EXPECT_EQ(coverage->version, "3.13.9");
  EXPECT_TRUE(coverage->verified);
  ASSERT_THAT(coverage->rows, SizeIs(1));
  EXPECT_EQ(coverage->rows[0].hook, "list_read");
  EXPECT_THAT(coverage->rows[0].functions, testing::ElementsAre("f in f.c", "f in g.c"));
  EXPECT_TRUE(std::filesystem::exists(AuditFile(prefix)));
  EXPECT_THAT(notices_, IsEmpty());
}

TEST_F(InterpreterBuilderTest, ARowThatMatchesNothingFailsAVerifiedVersion) {
  WriteTable(
      "verified 3.13.9\nentry f list_read 0 op=list.len\nentry g list_read 0 op=list.len\n"
      "entry h list_read 0 op=list.len [optional]\n");
  const BuildSpec spec = RaceSpec("2\\tf\\tf.c\\n");
  EXPECT_THAT(Build(spec),
              testing::AllOf(HasSubstr("line 3 (entry g"), testing::Not(HasSubstr("entry h"))));
  EXPECT_THAT(CachedInterpreters(cache_), IsEmpty());
}

TEST_F(InterpreterBuilderTest, ARowThatMatchesNothingIsANoticeForOtherVersions) {
  WriteTable("verified 3.13.8\nentry f list_read 0 op=list.len\nentry g list_read 0 op=list.len\n");
  const std::string executable = Build(RaceSpec("2\\tf\\tf.c\\n"));
  EXPECT_THAT(executable, HasSubstr("bin/python3"));
  EXPECT_THAT(notices_, testing::ElementsAre(HasSubstr("line 3 (entry g")));
  const auto prefix = std::filesystem::path(executable).parent_path().parent_path();
  const auto coverage = ReadCoverage(CoverageFile(prefix));
  ASSERT_TRUE(coverage.ok()) << coverage.status();
  EXPECT_FALSE(coverage->verified);
  ASSERT_THAT(coverage->Lost(), SizeIs(1));
  EXPECT_EQ(coverage->Lost()[0]->line, 3U);
}

TEST_F(InterpreterBuilderTest, AnInstrumentedOneNeedsItsTableCompilerAndThreads) {
  BuildSpec spec = RaceSpec("", "3.14.0");
  EXPECT_THAT(Build(spec), HasSubstr("there is no hook table for it"));
  spec.free_threaded = false;
  EXPECT_THAT(Build(spec), HasSubstr("leave out --gil"));
  spec.flavor = "fast";
  EXPECT_THAT(Build(spec), HasSubstr("there is no flavor 'fast'"));
  setenv("FTHREADPROF_RESOURCES", directory_.path().c_str(), 1);
  EXPECT_THAT(Build(RaceSpec("")), HasSubstr("FTHREADPROF_RESOURCES is"));
  SetCompiler("cc 12");
  const std::string path = getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  EXPECT_THAT(Build(RaceSpec("")), HasSubstr("apt-get install clang-19 llvm-19"));
  setenv("PATH", path.c_str(), 1);
}

TEST_F(InterpreterBuilderTest, SaysThatTheDiskIsFull) {
  const std::string message = Build(Spec("3.13.9", "echo cc: No space left on device; false"));
  EXPECT_THAT(message, HasSubstr("there is no space left for"));
}

TEST_F(InterpreterBuilderTest, RemovesWhatAnInterruptedBuildLeft) {
  Build(Spec());
  const std::string key = CachedInterpreters(cache_)[0];
  ASSERT_TRUE(RemoveCachedInterpreter(cache_, key).ok());
  WriteTextFile(cache_.Staging(key) / "source/configure", "half a file");
  WriteTextFile(cache_.Staging(key) / "stage/junk", "");
  EXPECT_EQ(Build(Spec()), (cache_.Prefix(key) / "bin/python3").string());
  EXPECT_FALSE(std::filesystem::exists(cache_.Staging(key)));
}

TEST_F(InterpreterBuilderTest, NamesTheLogOfAFailedBuild) {
  const std::string message = Build(Spec("3.13.9", "echo the reason; false"));
  EXPECT_THAT(message, HasSubstr("CPython 3.13.9 could not be built: make failed"));
  const std::string log = message.substr(message.find("see ") + 4);
  EXPECT_THAT(ReadWholeFile(log), HasSubstr("the reason"));
  EXPECT_THAT(CachedInterpreters(cache_), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(cache_.Staging(std::filesystem::path(log).stem())));
}

TEST_F(InterpreterBuilderTest, RejectsABuildThatIsNotWhatWasAsked) {
  BuildSpec spec = Spec();
  const std::string configure = ReadWholeFile(spec.source / "configure");
  WriteScript(spec.source / "configure", "set -- $1; " + configure);  // ignores --disable-gil
  EXPECT_THAT(Build(spec), HasSubstr("was built, but it is not free-threaded"));
  EXPECT_THAT(CachedInterpreters(cache_), IsEmpty());
}

TEST_F(InterpreterBuilderTest, ChecksTheVersionAgainstTheSource) {
  BuildSpec spec = Spec("3.13.9");
  spec.version = "3.14t";
  EXPECT_THAT(Build(spec), HasSubstr("is CPython 3.13.9, not 3.14"));
  spec.version = "3.13.9t";
  EXPECT_THAT(Build(spec), HasSubstr("bin/python3"));
}

TEST_F(InterpreterBuilderTest, FallsBackToDebiansSourceWithANotice) {
  WriteFakeSource(directory_.path() / "Python-3.13.8", "3.13.8");
  std::filesystem::create_directories(cache_.sources());
  const std::string line = "tar -C " + directory_.path().string() + " -cJf " +
                           (cache_.sources() / "python3.13_3.13.8.orig.tar.xz").string() +
                           " Python-3.13.8";
  ASSERT_EQ(std::system(line.c_str()), 0);
  std::vector<std::string> notices;
  BuildListener listener;
  listener.on_notice = [&notices](const std::string& notice) { notices.push_back(notice); };
  BuildSpec spec;
  spec.version = "3.14t";
  const auto executable = InterpreterBuilder(cache_, listener).Build(spec);
  ASSERT_TRUE(executable.ok()) << executable.status();
  EXPECT_THAT(executable->string(), HasSubstr("cpython-3.13.8t-"));
  EXPECT_THAT(notices, testing::ElementsAre(HasSubstr("not of 3.14: building 3.13.8")));
}

TEST_F(InterpreterBuilderTest, NamesACompilerThatDoesNotRun) {
  setenv("CC", "fthreadprof-no-such-compiler", 1);
  EXPECT_THAT(Build(Spec()), HasSubstr("'fthreadprof-no-such-compiler' does not run"));
}

TEST_F(InterpreterBuilderTest, RemovesOnlyWhatIsInTheCache) {
  Build(Spec());
  const std::string key = CachedInterpreters(cache_)[0];
  for (const std::string name : {"", ".", "..", "/", "other", "../source"}) {
    const absl::Status status = RemoveCachedInterpreter(cache_, name);
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(key));
  }
  EXPECT_TRUE(RemoveCachedInterpreter(cache_, key).ok());
  EXPECT_THAT(CachedInterpreters(cache_), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(cache_.Log(key)));
  EXPECT_EQ(RemoveCachedInterpreter(cache_, key).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace fthreadprof
