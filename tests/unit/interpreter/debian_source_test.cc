#include "interpreter/debian_source.h"

#include "gtest/gtest.h"
#include "unit/interpreter/temporary_directory.h"

namespace fthreadprof {
namespace {

TEST(ChooseArchiveTest, TakesTheSuiteItselfNotItsUpdates) {
  const std::string targets =
      "http://a.example/debian-security/ bookworm-security\n"
      "http://b.example/debian/ bookworm-updates\n"
      "http://c.example/other/ \n"
      "http://d.example/debian/ bookworm\n"
      "http://e.example/debian/ bookworm\n";
  EXPECT_EQ(ChooseArchive(targets, "bookworm"), "http://d.example/debian/");
  EXPECT_EQ(ChooseArchive(targets, "trixie"), "");
  EXPECT_EQ(ChooseArchive("", "bookworm"), "");
  EXPECT_EQ(ChooseArchive(targets, ""), "");
}

TEST(OsReleaseValueTest, ReadsQuotedAndPlainValues) {
  const std::string text = "NAME=\"Debian GNU/Linux\"\nVERSION_ID=12\nID=debian\n";
  EXPECT_EQ(OsReleaseValue(text, "NAME"), "Debian GNU/Linux");
  EXPECT_EQ(OsReleaseValue(text, "ID"), "debian");
  EXPECT_EQ(OsReleaseValue(text, "VERSION"), "");
}

TEST(FetchDebianSourceTest, UsesTheNewestTarballThatIsThere) {
  const TemporaryDirectory directory;
  const CacheLayout cache(directory.path());
  WriteTextFile(cache.sources() / "python3.13_3.13.4.orig.tar.xz", "");
  WriteTextFile(cache.sources() / "python3.13_3.13.5.orig.tar.xz.asc", "");
  WriteTextFile(cache.sources() / "python3.14_3.14.0.orig.tar.xz", "");
  const auto newest = WriteTextFile(cache.sources() / "python3.13_3.13.5.orig.tar.xz", "");
  const auto fetched = FetchDebianSource(cache, {});
  ASSERT_TRUE(fetched.ok()) << fetched.status();
  EXPECT_EQ(*fetched, newest);
}

}  // namespace
}  // namespace fthreadprof
