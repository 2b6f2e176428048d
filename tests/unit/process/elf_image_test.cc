// ElfImage on the running program's file, on files made up here, and on broken ones.
#include "process/elf_image.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "unit/repetition.h"

// A section of our own, to be found like .PyRuntime.
extern "C" __attribute__((section(".FtpTest"), used)) uint64_t fthreadprof_test_section = 0x1234;

namespace fthreadprof {
namespace {

UniqueFd FileOf(const std::vector<uint8_t>& bytes) {
  UniqueFd fd(memfd_create("elf", MFD_CLOEXEC));
  EXPECT_EQ(pwrite(fd.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  return fd;
}

std::vector<uint8_t> OwnFile() {
  const UniqueFd fd(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  std::vector<uint8_t> bytes(static_cast<size_t>(lseek(fd.get(), 0, SEEK_END)));
  EXPECT_EQ(pread(fd.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  return bytes;
}

struct Segment {
  uint32_t flags;
  uint64_t offset, address, size;
};

// An x86-64 file of program headers alone.
std::vector<uint8_t> MakeElf(uint16_t type, const std::vector<Segment>& segments) {
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = type;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = static_cast<uint16_t>(segments.size());
  std::vector<uint8_t> bytes(sizeof header + segments.size() * sizeof(Elf64_Phdr));
  std::memcpy(bytes.data(), &header, sizeof header);
  for (size_t i = 0; i < segments.size(); ++i) {
    Elf64_Phdr segment = {};
    segment.p_type = PT_LOAD;
    segment.p_flags = segments[i].flags;
    segment.p_offset = segments[i].offset;
    segment.p_vaddr = segments[i].address;
    segment.p_filesz = segment.p_memsz = segments[i].size;
    std::memcpy(&bytes[sizeof header + i * sizeof segment], &segment, sizeof segment);
  }
  return bytes;
}

Mapping MapOf(uint64_t start, uint64_t file_offset, const char* permissions) {
  Mapping mapping;
  mapping.start = start;
  mapping.end = start + 0x1000;
  mapping.file_offset = file_offset;
  mapping.readable = permissions[0] == 'r';
  mapping.writable = permissions[1] == 'w';
  mapping.executable = permissions[2] == 'x';
  return mapping;
}

TEST(ElfImage, FindsASectionOfTheRunningProgramByItsLowestMapping) {
  auto image = ElfImage::Open(UniqueFd(open("/proc/self/exe", O_RDONLY | O_CLOEXEC)));
  ASSERT_TRUE(image.ok());
  const auto section = image->FindSection(".FtpTest");
  ASSERT_TRUE(section);
  EXPECT_GE(section->size, sizeof fthreadprof_test_section);  // ASan pads it
  EXPECT_FALSE(image->FindSection(".FtpTes"));
  EXPECT_FALSE(image->FindSection(""));
  const auto mappings = ReadMemoryMaps(getpid());
  ASSERT_TRUE(mappings.ok());
  const auto here = reinterpret_cast<uint64_t>(&fthreadprof_test_section);
  const auto own = std::find_if(mappings->begin(), mappings->end(),
                                [&](const Mapping& m) { return m.start <= here && here < m.end; });
  ASSERT_NE(own, mappings->end());
  const auto lowest = std::find_if(mappings->begin(), mappings->end(), [&](const Mapping& m) {
    return m.inode == own->inode && m.device == own->device;
  });
  const auto bias = image->LoadBias(*lowest);
  ASSERT_TRUE(bias);
  EXPECT_EQ(section->address + *bias, here);
}

TEST(ElfImage, BiasOfPositionDependentFilesIsZero) {
  auto image = ElfImage::Open(FileOf(MakeElf(ET_EXEC, {{PF_R, 0, 0x400000, 0x1000},
                                                       {PF_R | PF_X, 0x1000, 0x401000, 0x2000},
                                                       {PF_R | PF_W, 0x3e10, 0x404e10, 0x400}})));
  ASSERT_TRUE(image.ok());
  EXPECT_EQ(image->LoadBias(MapOf(0x400000, 0, "r--")), 0u);
  EXPECT_EQ(image->LoadBias(MapOf(0x401000, 0x1000, "r-x")), 0u);
  EXPECT_EQ(image->LoadBias(MapOf(0x404000, 0x3000, "rw-")), 0u);
  EXPECT_FALSE(image->LoadBias(MapOf(0x404000, 0x9000, "rw-")));
}

TEST(ElfImage, TheFirstSegmentMayLieAnywhereInFileAndMemory) {
  auto image = ElfImage::Open(FileOf(MakeElf(
      ET_DYN, {{PF_R | PF_X, 0x2000, 0x10000, 0x1000}, {PF_R | PF_W, 0x3000, 0x20000, 0x1000}})));
  ASSERT_TRUE(image.ok());
  constexpr uint64_t kBias = 0x7f00'0000'0000;
  EXPECT_EQ(image->LoadBias(MapOf(kBias + 0x10000, 0x2000, "r-x")), kBias);
  EXPECT_EQ(image->LoadBias(MapOf(kBias + 0x20000, 0x3000, "rw-")), kBias);
  EXPECT_FALSE(image->LoadBias(MapOf(kBias, 0, "r--")));
}

TEST(ElfImage, TwoSegmentsMayShareAPageOfTheFile) {
  auto image = ElfImage::Open(
      FileOf(MakeElf(ET_DYN, {{PF_R | PF_X, 0, 0, 0x2ff8}, {PF_R | PF_W, 0x2ff8, 0x3ff8, 0x800}})));
  ASSERT_TRUE(image.ok());
  constexpr uint64_t kBias = 0x5500'0000'0000;
  EXPECT_EQ(image->LoadBias(MapOf(kBias, 0, "r-x")), kBias);
  EXPECT_EQ(image->LoadBias(MapOf(kBias + 0x3000, 0x2000, "rw-")), kBias);
  EXPECT_EQ(image->LoadBias(MapOf(kBias + 0x3000, 0x2000, "r--")), kBias) << "RELRO";
}

TEST(ElfImage, RefusesWhatIsNoElfFile) {
  const std::string script = "#!/bin/sh\nexec python3\n";
  EXPECT_TRUE(
      absl::IsInvalidArgument(ElfImage::Open(FileOf({script.begin(), script.end()})).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ElfImage::Open(FileOf({})).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ElfImage::Open(FileOf({0x7f, 'E', 'L', 'F'})).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ElfImage::Open(UniqueFd()).status()));
}

TEST(ElfImage, NamesOtherMachinesAsSuch) {
  auto bytes = MakeElf(ET_EXEC, {});
  reinterpret_cast<Elf64_Ehdr*>(bytes.data())->e_machine = EM_AARCH64;
  EXPECT_TRUE(absl::IsUnimplemented(ElfImage::Open(FileOf(bytes)).status()));
  Elf32_Ehdr narrow = {};
  std::memcpy(narrow.e_ident, ELFMAG, SELFMAG);
  narrow.e_ident[EI_CLASS] = ELFCLASS32;
  narrow.e_ident[EI_DATA] = ELFDATA2LSB;
  narrow.e_ident[EI_VERSION] = EV_CURRENT;
  narrow.e_type = ET_EXEC;
  narrow.e_machine = EM_386;
  narrow.e_version = EV_CURRENT;
  narrow.e_ehsize = sizeof narrow;
  const auto* first = reinterpret_cast<const uint8_t*>(&narrow);
  EXPECT_TRUE(
      absl::IsUnimplemented(ElfImage::Open(FileOf({first, first + sizeof narrow})).status()));
}

TEST(ElfImage, SurvivesTruncatedAndCorruptFiles) {
  const std::vector<uint8_t> whole = OwnFile();
  const Mapping mapping = MapOf(0x5500'0000'0000, 0, "r--");
  std::mt19937 random{11};
  for (int round = 0; round < Repetitions(300); ++round) {
    // The headers at both ends are what is parsed.
    std::vector<uint8_t> bytes = whole;
    auto* header = reinterpret_cast<Elf64_Ehdr*>(bytes.data());
    const uint64_t sections = header->e_shoff;
    const size_t section_bytes = header->e_shnum * sizeof(Elf64_Shdr);
    for (int i = 0; i < 3; ++i) {
      const size_t in_sections = sections + random() % section_bytes;
      bytes[round % 2 == 0 ? 5 + random() % 1000 : in_sections] = static_cast<uint8_t>(random());
    }
    if (round % 5 == 0) bytes.resize(random() % bytes.size());
    auto image = ElfImage::Open(FileOf(bytes));
    if (!image.ok()) continue;
    image->FindSection(".FtpTest");
    image->LoadBias(mapping);
  }
}

}  // namespace
}  // namespace fthreadprof
