#include "process/memory_maps.h"

#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

TEST(MemoryMaps, ParsesWhatTheKernelWrites) {
  const auto mappings = ParseMemoryMaps(
      "55d0c0a00000-55d0c0a01000 r--p 00002000 fe:01 1234567                    /usr/bin/python3\n"
      "55d0c1b00000-55d0c1b21000 rw-p 00000000 00:00 0                          [heap]\n"
      "7f0000000000-7f0000001000 ---p 00000000 00:00 0 \n"
      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n");
  ASSERT_EQ(mappings.size(), 4u);
  EXPECT_EQ(mappings[0].start, 0x55d0c0a00000u);
  EXPECT_EQ(mappings[0].end, 0x55d0c0a01000u);
  EXPECT_EQ(mappings[0].file_offset, 0x2000u);
  EXPECT_TRUE(mappings[0].readable && !mappings[0].writable && !mappings[0].executable);
  EXPECT_EQ(mappings[0].device, makedev(0xfe, 1));
  EXPECT_EQ(mappings[0].inode, 1234567u);
  EXPECT_EQ(mappings[0].path, "/usr/bin/python3");
  EXPECT_TRUE(mappings[0].has_file() && !mappings[0].deleted);
  EXPECT_EQ(mappings[1].path, "[heap]");
  EXPECT_FALSE(mappings[1].has_file());
  EXPECT_EQ(mappings[2].path, "");
  EXPECT_FALSE(mappings[2].readable);
  EXPECT_EQ(mappings[3].end, 0xffffffffff601000u);
  EXPECT_TRUE(mappings[3].executable);
}

TEST(MemoryMaps, PathsMayHoldAnything) {
  const auto mappings = ParseMemoryMaps(
      "1000-2000 r-xp 00000000 08:01 5 /opt/my python (copy)/bin\n"
      "2000-3000 r-xp 00000000 08:01 6 /usr/bin/python3.13 (deleted)\n"
      "3000-4000 r-xp 00000000 08:01 7 /tmp/new\\012line\n"
      "4000-5000 r-xp 00000000 08:01 8 /t\xc3\xa9st/100%s%n\n");
  ASSERT_EQ(mappings.size(), 4u);
  EXPECT_EQ(mappings[0].path, "/opt/my python (copy)/bin");
  EXPECT_FALSE(mappings[0].deleted);
  EXPECT_EQ(mappings[1].path, "/usr/bin/python3.13");
  EXPECT_TRUE(mappings[1].deleted);
  EXPECT_EQ(mappings[2].path, "/tmp/new\\012line");
  EXPECT_EQ(mappings[3].path, "/t\xc3\xa9st/100%s%n");
}

TEST(MemoryMaps, LeavesOutWhatIsMalformed) {
  const auto mappings = ParseMemoryMaps(
      "\n\nnonsense\n"
      "2000-1000 r-xp 00000000 08:01 5 /backwards\n"
      "2000-2000 r-xp 00000000 08:01 5 /empty\n"
      "1000-2000 r-xp 00000000\n"
      "1000-\n"
      "1000-2000 r-xp 00000000 08:01 5 /good");
  ASSERT_EQ(mappings.size(), 1u);
  EXPECT_EQ(mappings[0].path, "/good");
  EXPECT_TRUE(ParseMemoryMaps("").empty());
}

TEST(MemoryMaps, SurvivesHostileText) {
  const std::string good =
      "55d0c0a00000-55d0c0a01000 r--p 00002000 fe:01 1234567    /bin/x (deleted)\n";
  std::mt19937 random{3};
  for (int round = 0; round < Repetitions(20'000); ++round) {
    std::string text = good + good;
    for (int i = 0; i < 4; ++i) text[random() % text.size()] = static_cast<char>(random());
    if (round % 3 == 0) text.resize(random() % text.size());
    for (const Mapping& mapping : ParseMemoryMaps(text)) EXPECT_LT(mapping.start, mapping.end);
  }
}

TEST(MemoryMaps, ReadsOurOwn) {
  const auto mappings = ReadMemoryMaps(getpid());
  ASSERT_TRUE(mappings.ok());
  const auto here = reinterpret_cast<uint64_t>(&ParseMemoryMaps);
  const auto ours = std::find_if(mappings->begin(), mappings->end(),
                                 [&](const Mapping& m) { return m.start <= here && here < m.end; });
  ASSERT_NE(ours, mappings->end());
  EXPECT_TRUE(ours->executable && ours->has_file());
  EXPECT_TRUE(ours->path.ends_with("process_test")) << ours->path;
}

TEST(MemoryMaps, NoProcessIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(ReadMemoryMaps(0x7fff'fffe).status()));
}

}  // namespace
}  // namespace fthreadprof
