#include "base/atomic_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace fthreadprof {
namespace {

using ::testing::ElementsAre;

using ::testing::IsEmpty;

namespace fs = std::filesystem;

class AtomicFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "atomic_file_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  static std::string ReadFile(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  static absl::Status WriteFile(const std::string& path, const std::string& text) {
    auto file = AtomicFile::Create(path);
    if (!file.ok()) return file.status();
    (*file)->stream() << text;
    return (*file)->Commit();
  }

  std::string directory_;
};

// Runs `body` in a child process and returns its wait status; 0 when it returned true.
int RunInChild(const std::function<bool()>& body) {
  // What GoogleTest has buffered would be written by the child too (TSan's _exit flushes).
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

TEST_F(AtomicFileTest, AppearsOnlyOnCommit) {
  auto file = AtomicFile::Create(Path("out.svg"));
  ASSERT_TRUE(file.ok()) << file.status();
  (*file)->stream() << std::string(300'000, 'x') << "end";
  EXPECT_FALSE(fs::exists(Path("out.svg")));
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_EQ(ReadFile(Path("out.svg")), std::string(300'000, 'x') + "end");
  EXPECT_THAT(Names(), ElementsAre("out.svg"));
}

TEST_F(AtomicFileTest, WithoutCommitTheOldFileStays) {
  ASSERT_TRUE(WriteFile(Path("out"), "old").ok());
  {
    auto file = AtomicFile::Create(Path("out"));
    ASSERT_TRUE(file.ok());
    (*file)->stream() << "half" << std::flush;
  }
  EXPECT_EQ(ReadFile(Path("out")), "old");
  EXPECT_THAT(Names(), ElementsAre("out"));
}

TEST_F(AtomicFileTest, ReplacesKeepingTheMode) {
  ASSERT_TRUE(WriteFile(Path("out"), "old and longer").ok());
  ASSERT_EQ(chmod(Path("out").c_str(), 0640), 0);
  ASSERT_TRUE(WriteFile(Path("out"), "new").ok());
  EXPECT_EQ(ReadFile(Path("out")), "new");
  EXPECT_EQ(fs::status(Path("out")).permissions(), static_cast<fs::perms>(0640));
}

TEST_F(AtomicFileTest, NewFileFollowsTheUmask) {
  const mode_t old = umask(027);
  ASSERT_TRUE(WriteFile(Path("out"), "x").ok());
  umask(old);
  EXPECT_EQ(fs::status(Path("out")).permissions(), static_cast<fs::perms>(0640));
}

TEST_F(AtomicFileTest, WritesThroughASymbolicLink) {
  fs::create_directory(Path("real"));
  ASSERT_TRUE(WriteFile(Path("real/file"), "old").ok());
  fs::create_symlink("real/file", Path("link"));
  ASSERT_TRUE(WriteFile(Path("link"), "new").ok());
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(ReadFile(Path("real/file")), "new");
}

TEST_F(AtomicFileTest, TakesTheLongestNameAndARelativeOne) {
  EXPECT_TRUE(WriteFile(Path(std::string(255, 'n')), "x").ok());
  const fs::path before = fs::current_path();
  fs::current_path(directory_);
  EXPECT_TRUE(WriteFile("relative", "x").ok());
  fs::current_path(before);
  EXPECT_EQ(ReadFile(Path("relative")), "x");
}

TEST_F(AtomicFileTest, SaysPlainlyWhatIsWrong) {
  const absl::Status no_directory = WriteFile(Path("none/out.svg"), "x");
  EXPECT_TRUE(absl::IsNotFound(no_directory));
  EXPECT_EQ(no_directory.message(),
            "cannot write " + Path("none/out.svg") + ": there is no directory " + Path("none"));
  ASSERT_TRUE(WriteFile(Path("file"), "x").ok());
  EXPECT_EQ(WriteFile(Path("file/out"), "x").message(),
            "cannot write " + Path("file/out") + ": " + Path("file") + " is not a directory");
  EXPECT_EQ(WriteFile(directory_, "x").message(),
            "cannot write " + directory_ + ": it is a directory");
  EXPECT_TRUE(absl::IsInvalidArgument(AtomicFile::CheckWritable(directory_)));
  EXPECT_TRUE(absl::IsNotFound(WriteFile(Path("none/"), "x")));
  EXPECT_TRUE(absl::IsInvalidArgument(WriteFile("", "x")));
  EXPECT_FALSE(WriteFile(Path(std::string(256, 'n')), "x").ok());
  EXPECT_THAT(Names(), ElementsAre("file"));
}

TEST_F(AtomicFileTest, WithoutPermissionNothingChanges) {
  ASSERT_TRUE(WriteFile(Path("read-only"), "old").ok());
  ASSERT_EQ(chmod(Path("read-only").c_str(), 0444), 0);
  ASSERT_EQ(chmod(directory_.c_str(), 0555), 0);
  const int status = RunInChild([&] {
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return false;
    const absl::Status created = WriteFile(Path("out"), "x");
    return absl::IsPermissionDenied(created) &&
           created.message().find("no permission") != std::string::npos &&
           absl::IsPermissionDenied(WriteFile(Path("read-only"), "x")) &&
           absl::IsPermissionDenied(AtomicFile::CheckWritable(Path("out")));
  });
  EXPECT_EQ(status, 0);
  ASSERT_EQ(chmod(directory_.c_str(), 0755), 0);
  EXPECT_EQ(ReadFile(Path("read-only")), "old");
  EXPECT_THAT(Names(), ElementsAre("read-only"));
}

TEST_F(AtomicFileTest, BeyondTheSizeLimitTheOldFileStays) {
  ASSERT_TRUE(WriteFile(Path("out"), "old").ok());
  const int status = RunInChild([&] {
    const rlimit limit = {100'000, 100'000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    const absl::Status written = WriteFile(Path("out"), std::string(1'000'000, 'x'));
    return absl::IsResourceExhausted(written) &&
           written.message().find("size limit") != std::string::npos;
  });
  EXPECT_EQ(status, 0) << "killed by a signal, or the wrong error";
  EXPECT_EQ(ReadFile(Path("out")), "old");
  EXPECT_THAT(Names(), ElementsAre("out"));
}

TEST_F(AtomicFileTest, FullDiskIsReported) {
  const absl::Status status = WriteFile("/dev/full", "x");
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(status.message(), "cannot write /dev/full: the disk is full");
}

TEST_F(AtomicFileTest, DevicesAreWrittenDirectly) {
  EXPECT_TRUE(WriteFile("/dev/null", std::string(200'000, 'x')).ok());
  EXPECT_TRUE(AtomicFile::CheckWritable("/dev/null").ok());
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(AtomicFileTest, NamedPipeIsWrittenDirectly) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(AtomicFile::CheckWritable(Path("pipe")).ok());  // does not wait for a reader
  std::string received;
  std::thread reader([&] { received = ReadFile(Path("pipe")); });
  const absl::Status written = WriteFile(Path("pipe"), std::string(200'000, 'x'));
  reader.join();
  EXPECT_TRUE(written.ok()) << written;
  EXPECT_EQ(received.size(), 200'000u);
  EXPECT_TRUE(fs::is_fifo(Path("pipe")));
}

// Standard output goes to a file behind bytes that are already there.
TEST_F(AtomicFileTest, DashAppendsToStandardOutput) {
  for (const std::string name : {"-", "/dev/stdout", "/dev/fd/1"}) {
    const int status = RunInChild([&] {
      const int fd = open(Path("stdout").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      return dup2(fd, STDOUT_FILENO) == STDOUT_FILENO && write(fd, "before ", 7) == 7 &&
             WriteFile(name, "output").ok() && write(fd, " after", 6) == 6;
    });
    EXPECT_EQ(status, 0) << name;
    EXPECT_EQ(ReadFile(Path("stdout")), "before output after") << name;
  }
  EXPECT_THAT(Names(), ElementsAre("stdout"));
}

TEST_F(AtomicFileTest, ClosedReaderIsAnErrorAndNotASignal) {
  const int status = RunInChild([&] {
    int ends[2];
    if (pipe(ends) != 0 || dup2(ends[1], STDOUT_FILENO) < 0) return false;
    close(ends[0]);
    close(ends[1]);
    signal(SIGPIPE, SIG_DFL);
    const absl::Status written = WriteFile("-", "x");
    return written.message() == "cannot write -: its reader has closed the pipe";
  });
  EXPECT_EQ(status, 0);
}

TEST_F(AtomicFileTest, CheckWritableLeavesNoTrace) {
  EXPECT_TRUE(AtomicFile::CheckWritable(Path("out")).ok());
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(AtomicFile::CheckWritable(Path("none/out"))));
}

TEST_F(AtomicFileTest, InPlaceIsThereAtOnceAndStaysWithoutCommit) {
  ASSERT_TRUE(WriteFile(Path("out"), "old and longer").ok());
  {
    auto file = AtomicFile::CreateInPlace(Path("out"));
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(ReadFile(Path("out")), "");
    (*file)->stream() << "first," << std::flush;
    EXPECT_EQ(ReadFile(Path("out")), "first,") << "what is flushed outlives a kill";
    (*file)->stream() << "second" << std::flush << "lost";
  }
  EXPECT_EQ(ReadFile(Path("out")), "first,second");
  EXPECT_THAT(Names(), ElementsAre("out"));
}

TEST_F(AtomicFileTest, InPlaceFollowsLinksAndKeepsTheMode) {
  ASSERT_TRUE(WriteFile(Path("real"), "old").ok());
  ASSERT_EQ(chmod(Path("real").c_str(), 0640), 0);
  fs::create_symlink("real", Path("link"));
  auto file = AtomicFile::CreateInPlace(Path("link"));
  ASSERT_TRUE(file.ok()) << file.status();
  (*file)->stream() << "new";
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(ReadFile(Path("real")), "new");
  EXPECT_EQ(fs::status(Path("real")).permissions(), static_cast<fs::perms>(0640));
}

TEST_F(AtomicFileTest, InPlaceSaysPlainlyWhatIsWrong) {
  EXPECT_TRUE(absl::IsNotFound(AtomicFile::CreateInPlace(Path("none/out")).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(AtomicFile::CreateInPlace(directory_).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(AtomicFile::CreateInPlace("").status()));
  auto full = AtomicFile::CreateInPlace("/dev/full");
  ASSERT_TRUE(full.ok());
  (*full)->stream() << "first" << std::flush;
  (*full)->stream() << "second";
  EXPECT_EQ((*full)->Commit().message(), "cannot write /dev/full: the disk is full");
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(AtomicFileTest, InPlaceBeyondTheSizeLimitKeepsWhatFits) {
  const int status = RunInChild([&] {
    const rlimit limit = {100'000, 100'000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    auto file = AtomicFile::CreateInPlace(Path("out"));
    if (!file.ok()) return false;
    for (int i = 0; i < 100; ++i) (*file)->stream() << std::string(10'000, 'x') << std::flush;
    return absl::IsResourceExhausted((*file)->Commit());
  });
  EXPECT_EQ(status, 0) << "killed by a signal, or the wrong error";
  EXPECT_EQ(ReadFile(Path("out")), std::string(100'000, 'x'));
}

}  // namespace
}  // namespace fthreadprof
