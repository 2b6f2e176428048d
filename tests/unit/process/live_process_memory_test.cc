#include "process/live_process_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <vector>

#include "gtest/gtest.h"
#include "process/child_process.h"

namespace fthreadprof {
namespace {

constexpr size_t kPage = 4096;

// Two pages, the second of which can't be read.
class LiveProcessMemoryTest : public testing::Test {
 protected:
  LiveProcessMemoryTest() {
    pages_ = static_cast<uint8_t*>(
        mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (size_t i = 0; i < kPage; ++i) pages_[i] = static_cast<uint8_t>(i * 7);
    mprotect(pages_ + kPage, kPage, PROT_NONE);
  }
  ~LiveProcessMemoryTest() override { munmap(pages_, 2 * kPage); }
  uint64_t At(size_t offset) const { return reinterpret_cast<uint64_t>(pages_) + offset; }

  uint8_t* pages_;
  LiveProcessMemory memory_{getpid()};
};

TEST_F(LiveProcessMemoryTest, ReadsPiecesInOneCall) {
  uint8_t first[3];
  uint64_t second = 0;
  const MemoryPiece pieces[] = {{At(10), first, sizeof first}, {At(kPage - 8), &second, 8}};
  ASSERT_EQ(*memory_.ReadPieces(pieces), 2u);
  EXPECT_EQ(first[1], 77);
  EXPECT_EQ(std::memcmp(&second, pages_ + kPage - 8, 8), 0);
  EXPECT_EQ(memory_.calls(), 1u);
  EXPECT_EQ(*memory_.ReadPieces({}), 0u);
}

TEST_F(LiveProcessMemoryTest, SaysHowManyPiecesAreWhole) {
  uint8_t a[8];
  uint8_t b[16];
  uint8_t c[8];
  const MemoryPiece across[] = {{At(0), a, 8}, {At(kPage - 8), b, 16}, {At(8), c, 8}};
  EXPECT_EQ(*memory_.ReadPieces(across), 1u) << "the second runs into the unreadable page";
  const MemoryPiece first[] = {{At(kPage), a, 8}, {At(8), c, 8}};
  EXPECT_EQ(*memory_.ReadPieces(first), 0u);
  for (const uint64_t address : {uint64_t{0}, ~uint64_t{0} - 7, uint64_t{1} << 63}) {
    EXPECT_TRUE(absl::IsDataLoss(memory_.Read(address, a, 8))) << address;
  }
  EXPECT_TRUE(memory_.ReadValue<uint64_t>(At(0)).ok());
}

TEST_F(LiveProcessMemoryTest, SplitsWhatTheKernelTakesAtATime) {
  const size_t count = 2 * IOV_MAX + 5;
  std::vector<uint8_t> bytes(count);
  std::vector<MemoryPiece> pieces;
  for (size_t i = 0; i < count; ++i) pieces.push_back({At(i % kPage), &bytes[i], 1});
  ASSERT_EQ(*memory_.ReadPieces(pieces), count);
  EXPECT_EQ(memory_.calls(), 3u);
  for (size_t i = 0; i < count; ++i) ASSERT_EQ(bytes[i], pages_[i % kPage]);
  pieces[IOV_MAX].address = At(kPage);
  EXPECT_EQ(*memory_.ReadPieces(pieces), size_t{IOV_MAX});
}

TEST_F(LiveProcessMemoryTest, NoProcessIsNotFound) {
  auto child = ChildProcess::Start({"sleep", "60"});
  ASSERT_TRUE(child.ok());
  LiveProcessMemory memory(child->pid());
  uint8_t byte;
  EXPECT_TRUE(absl::IsDataLoss(memory.Read(16, &byte, 1)));
  kill(child->pid(), SIGKILL);
  EXPECT_EQ(child->Wait(), 128 + SIGKILL);
  EXPECT_TRUE(absl::IsNotFound(memory.Read(16, &byte, 1)));
}

}  // namespace
}  // namespace fthreadprof
