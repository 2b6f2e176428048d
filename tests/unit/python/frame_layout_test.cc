#include "python/frame_layout.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "unit/python/fake_target.h"

namespace fthreadprof {
namespace {

using Owner = FrameRecord::Owner;

class FrameLayoutTest : public testing::TestWithParam<const char*> {
 protected:
  template <typename T>
  void Put(uint64_t offset, T value) {
    std::memcpy(&bytes_[offset], &value, sizeof value);
  }
  FrameRecord Decode() const { return layout_.Decode(0x1000, bytes_.data()); }

  const DebugOffsets offsets_ = TargetOffsets(GetParam());
  const DebugOffsets::InterpreterFrame& f_ = offsets_.interpreter_frame;
  FrameLayout layout_{offsets_};
  std::vector<uint8_t> bytes_ = std::vector<uint8_t>(layout_.size());
};
INSTANTIATE_TEST_SUITE_P(Releases, FrameLayoutTest, testing::ValuesIn(kTargetReleases));

TEST_P(FrameLayoutTest, DecodesTheFields) {
  Put<uint64_t>(f_.previous, 0x7f00'0000'1000);
  Put<uint64_t>(f_.executable, 0x7f00'0000'2000);
  Put<uint64_t>(f_.instr_ptr, 0x7f00'0000'2124);
  Put<uint8_t>(f_.owner, 1);
  const FrameRecord record = Decode();
  EXPECT_EQ(record.address, 0x1000u);
  EXPECT_EQ(record.previous, 0x7f00'0000'1000u);
  EXPECT_EQ(record.executable, 0x7f00'0000'2000u);
  EXPECT_EQ(record.instruction, 0x7f00'0000'2124u);
  EXPECT_EQ(record.owner, Owner::kGenerator);
  EXPECT_EQ(record.tlbc_index, 0);
}

TEST_P(FrameLayoutTest, NeedsNoMoreThanTheFramesFixedPart) {
  EXPECT_LE(layout_.size(), f_.localsplus) << "a frame without locals ends there";
}

TEST_P(FrameLayoutTest, OwnersBeyondTheKnownAreTheInterpreters) {
  for (const auto& [owner, expected] :
       {std::pair(0, Owner::kThread), std::pair(1, Owner::kGenerator),
        std::pair(2, Owner::kFrameObject), std::pair(3, Owner::kInterpreter),
        std::pair(4, Owner::kInterpreter), std::pair(255, Owner::kInterpreter)}) {
    Put<uint8_t>(f_.owner, static_cast<uint8_t>(owner));
    EXPECT_EQ(Decode().owner, expected) << owner;
  }
}

TEST_P(FrameLayoutTest, TagsAreRemovedAndWhatIsNoObjectIsNone) {
  constexpr uint64_t kObject = 0x7f00'0000'2000;
  const auto decode = [&](uint64_t reference) {
    Put(f_.executable, reference);
    return Decode().executable;
  };
  EXPECT_EQ(decode(kObject), kObject);
  EXPECT_EQ(decode(0), 0u);
  if (offsets_.minor() == 13) return;  // plain pointers
  EXPECT_EQ(decode(kObject | 1), kObject) << "borrowed or deferred";
  EXPECT_EQ(decode(1), 0u) << "the null reference";
  EXPECT_EQ(decode(3), 0u) << "a tagged int";
  EXPECT_EQ(decode(7 << 2 | 3), 0u) << "a tagged int";
  EXPECT_EQ(decode(kObject | 2), 0u) << "invalid";
}

TEST_P(FrameLayoutTest, OnlyFreeThreadedBuildsHaveBytecodeOfAThread) {
  if (f_.tlbc_index == DebugOffsets::kAbsent) return;
  Put<int32_t>(f_.tlbc_index, 5);
  EXPECT_EQ(Decode().tlbc_index, offsets_.free_threaded ? 5 : 0);
}

TEST_P(FrameLayoutTest, StackTopTellsIn313) {
  if (f_.stacktop == DebugOffsets::kAbsent) {
    EXPECT_FALSE(Decode().runs || Decode().maybe_cleared);
    return;
  }
  Put<int32_t>(f_.stacktop, -1);
  EXPECT_TRUE(Decode().runs && !Decode().maybe_cleared);
  Put<int32_t>(f_.stacktop, 0);
  EXPECT_TRUE(!Decode().runs && Decode().maybe_cleared);
  Put<int32_t>(f_.stacktop, 4);
  EXPECT_TRUE(!Decode().runs && !Decode().maybe_cleared);
}

}  // namespace
}  // namespace fthreadprof
