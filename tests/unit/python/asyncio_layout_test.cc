#include "python/asyncio_layout.h"

#include <cstring>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "unit/python/test_offsets.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

constexpr size_t kWords = AsyncioLayout::kTableSize / sizeof(uint64_t);

DebugOffsets Offsets() {
  std::vector<uint64_t> words = CapturedTable("3.14.8");
  std::vector<uint8_t> bytes(words.size() * sizeof(uint64_t));
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return *DebugOffsets::Parse(bytes);
}

// As CPython 3.14.8 has it.
std::vector<uint64_t> Table() {
  return {208, 160, 96, 108, 109, 152, 176, 500000, 4000, 600, 400, 408, 416};
}

absl::StatusOr<AsyncioLayout> ParseTable(const std::vector<uint64_t>& words) {
  std::vector<uint8_t> bytes(words.size() * sizeof(uint64_t));
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return AsyncioLayout::Parse(bytes, Offsets());
}

TEST(AsyncioLayoutTest, TakesTheTablesColumns) {
  const auto layout = ParseTable(Table());
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(layout->task_name, 160u);
  EXPECT_EQ(layout->task_awaited_by, 96u);
  EXPECT_EQ(layout->task_is_task, 108u);
  EXPECT_EQ(layout->task_awaited_by_is_set, 109u);
  EXPECT_EQ(layout->task_coro, 152u);
  EXPECT_EQ(layout->task_node, 176u);
  EXPECT_EQ(layout->thread_tasks_head, 416u);
  EXPECT_EQ(layout->task_fut_waiter, DebugOffsets::kAbsent);
}

TEST(AsyncioLayoutTest, RefusesWhatContradictsItself) {
  for (const size_t column : {0, 1, 2, 3, 4, 5, 6, 9, 12}) {
    for (const uint64_t value : {uint64_t{0}, uint64_t{1} << 20 | 8, ~uint64_t{0}, ~uint64_t{7}}) {
      if (column == 12 && value == 0) continue;  // the head of a list may be the first field
      if (column == 9 && value == (uint64_t{1} << 20 | 8)) continue;
      std::vector<uint64_t> words = Table();
      words[column] = value;
      EXPECT_FALSE(ParseTable(words).ok()) << column << " " << value;
    }
  }
  std::vector<uint64_t> misaligned = Table();
  misaligned[5] += 4;
  EXPECT_FALSE(ParseTable(misaligned).ok());
}

TEST(AsyncioLayoutTest, RefusesATableThatIsCut) {
  std::vector<uint64_t> words = Table();
  words.pop_back();
  EXPECT_THAT(ParseTable(words).status().message(), testing::HasSubstr("cut short"));
}

TEST(AsyncioLayoutTest, AnythingIsRefusedOrInBounds) {
  std::mt19937_64 random(1);
  for (int round = 0; round < Repetitions(20'000); ++round) {
    std::vector<uint64_t> words = Table();
    for (int changes = 1 + static_cast<int>(random() % 3); changes > 0; --changes) {
      words[random() % kWords] = random() >> random() % 64;
    }
    const auto layout = ParseTable(words);
    if (!layout.ok()) continue;
    EXPECT_LE(layout->task_name + 8, 4096u);
    EXPECT_LE(layout->task_coro + 8, 4096u);
    EXPECT_LE(layout->task_awaited_by + 8, 4096u);
    EXPECT_LE(layout->task_node + 16, 4096u);
    EXPECT_LT(layout->task_is_task, 4096u);
    EXPECT_LT(layout->task_awaited_by_is_set, 4096u);
    EXPECT_LE(layout->thread_tasks_head + 16, uint64_t{1} << 20);
  }
}

}  // namespace
}  // namespace fthreadprof
