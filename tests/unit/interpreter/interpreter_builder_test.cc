#include "interpreter/interpreter_builder.h"

#include <stdlib.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
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
  // A compiler whose version never changes.
  void SetUp() override {
    setenv("CC", WriteScript(directory_.path() / "cc", "echo cc 1").c_str(), 1);
  }
  void TearDown() override { unsetenv("CC"); }

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
    const auto executable = InterpreterBuilder(cache_, listener).Build(spec);
    return executable.ok() ? executable->string() : std::string(executable.status().message());
  }

  const TemporaryDirectory directory_;
  const CacheLayout cache_{directory_.path() / "cache"};
  std::vector<std::string> steps_;
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
  spec.flavor = "race";
  Build(spec);
  EXPECT_THAT(CachedInterpreters(cache_), SizeIs(4));
  WriteTextFile(spec.source / "Python/new.c", "");
  Build(spec);
  EXPECT_THAT(CachedInterpreters(cache_), SizeIs(5));
  WriteScript(directory_.path() / "cc", "echo cc 2");
  Build(spec);
  EXPECT_THAT(CachedInterpreters(cache_), SizeIs(6));
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
