#include "interpreter/source_tree.h"

#include <cstdlib>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "unit/interpreter/fake_source.h"
#include "unit/interpreter/temporary_directory.h"

namespace fthreadprof {
namespace {

using ::testing::HasSubstr;

std::string HashOf(const std::filesystem::path& path) {
  const auto source = OpenSource(path);
  return source.ok() ? source->hash : std::string(source.status().message());
}

TEST(OpenSourceTest, ReadsVersionAndHashOfATree) {
  const TemporaryDirectory directory;
  const auto tree = WriteFakeSource(directory.path() / "tree", "3.14.0rc2");
  const auto source = OpenSource(tree);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(source->version.text, "3.14.0rc2");
  EXPECT_TRUE(source->is_directory);
  EXPECT_EQ(source->hash.size(), 64u);
}

TEST(OpenSourceTest, HashFollowsTheSourceOnly) {
  const TemporaryDirectory directory;
  const auto tree = WriteFakeSource(directory.path() / "tree", "3.14.0");
  const auto other = WriteFakeSource(directory.path() / "other", "3.14.0");
  const std::string hash = HashOf(tree);
  EXPECT_EQ(HashOf(other), hash);  // neither place nor time counts
  WriteTextFile(tree / ".git/index", "x");
  WriteTextFile(tree / "Lib/__pycache__/os.cpython-314.pyc", "x");
  WriteTextFile(tree / "Python/ceval.o", "x");
  WriteTextFile(tree / "Makefile", "x");
  std::filesystem::create_directories(other / "Lib");
  std::filesystem::create_directories(other / "Python");
  EXPECT_EQ(HashOf(tree), HashOf(other));
  WriteTextFile(tree / "Python/ceval.c", "int x;\n");
  EXPECT_NE(HashOf(tree), HashOf(other));
}

TEST(OpenSourceTest, RejectsWhatIsNoSupportedSource) {
  const TemporaryDirectory directory;
  const auto& top = directory.path();
  EXPECT_THAT(HashOf(top / "none"), HasSubstr("does not exist"));
  EXPECT_THAT(HashOf(top), HasSubstr("is not CPython's source tree"));
  EXPECT_THAT(HashOf(WriteTextFile(top / "bad.tar.xz", "no tarball")),
              HasSubstr("is not a tarball of CPython's source"));
  EXPECT_THAT(HashOf(WriteFakeSource(top / "old", "3.12.4")), HasSubstr("3.13 or later"));
  const auto silent = WriteFakeSource(top / "silent", "3.13.0");
  WriteTextFile(silent / "Include/patchlevel.h", "/* nothing */\n");
  EXPECT_THAT(HashOf(silent), HasSubstr("does not say which CPython"));
}

TEST(CopySourceTest, CopiesATreeWithoutLeftovers) {
  const TemporaryDirectory directory;
  const auto tree = WriteFakeSource(directory.path() / "a tree", "3.14.0");
  WriteTextFile(tree / "Python/ceval.o", "stale");
  const auto source = OpenSource(tree);
  ASSERT_TRUE(source.ok()) << source.status();
  const auto copy = directory.path() / "copy";
  std::filesystem::create_directories(copy);
  ASSERT_TRUE(CopySource(*source, copy, directory.path() / "log").ok());
  EXPECT_EQ(ReadWholeFile(copy / "configure"), ReadWholeFile(tree / "configure"));
  EXPECT_FALSE(std::filesystem::exists(copy / "Python/ceval.o"));
}

TEST(CopySourceTest, UnpacksATarball) {
  const TemporaryDirectory directory;
  WriteFakeSource(directory.path() / "Python-3.14.0", "3.14.0");
  const auto tarball = directory.path() / "source.tar.gz";
  const std::string line =
      "tar -C '" + directory.path().string() + "' -czf '" + tarball.string() + "' Python-3.14.0";
  ASSERT_EQ(std::system(line.c_str()), 0);
  const auto source = OpenSource(tarball);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_FALSE(source->is_directory);
  EXPECT_EQ(source->version.text, "3.14.0");
  const auto copy = directory.path() / "copy";
  std::filesystem::create_directories(copy);
  ASSERT_TRUE(CopySource(*source, copy, directory.path() / "log").ok());
  EXPECT_TRUE(std::filesystem::exists(copy / "Include/patchlevel.h"));
}

TEST(CopySourceTest, SaysThatATarballIsCutOff) {
  const TemporaryDirectory directory;
  SourceTree source;
  source.path = WriteTextFile(directory.path() / "cut.tar.xz", "cut off");
  const absl::Status status = CopySource(source, directory.path(), directory.path() / "log");
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot be unpacked"));
  EXPECT_NE(ReadWholeFile(directory.path() / "log"), "");
}

TEST(Sha256Test, IsSha256) {
  EXPECT_EQ(*Sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(*Sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace fthreadprof
