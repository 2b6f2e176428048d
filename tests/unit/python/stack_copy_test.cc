#include "python/stack_copy.h"

#include <random>
#include <string>
#include <vector>

#include "base/load.h"
#include "gtest/gtest.h"
#include "unit/python/fake_target.h"

namespace fthreadprof {
namespace {

class StackCopyTest : public testing::Test {
 protected:
  StackCopyTest() {
    thread_ = target_.NewThread();
    target_.CallFromC(thread_, code_);
    target_.Finish();
  }
  void Call(int times) {
    for (int i = 0; i < times; ++i) target_.Call(thread_, code_);
    target_.Finish();
  }
  uint64_t top() const { return thread_->frames.back().address; }
  absl::Status Learn(uint64_t address) {
    const uint64_t chunk_at = thread_->state + target_.offsets().thread_state.datastack_chunk;
    return copy_.Learn(memory_, layout_, chunk_at, address);
  }
  // Makes the memory look like an entry frame.
  void PutEntryFrame(uint64_t address) {
    const uint64_t owner = target_.offsets().interpreter_frame.owner;
    memory_.Write(address + owner, *memory_.ReadValue<uint8_t>(thread_->frames[0].address + owner));
  }
  void Read(StackCopy::Extent extent = StackCopy::Extent::kAll) {
    std::vector<MemoryPiece> pieces;
    copy_.Prepare(extent);
    copy_.AppendPieces(0, pieces);
    copy_.AppendPieces(1, pieces);
    ASSERT_EQ(*memory_.ReadPieces(pieces), pieces.size());
  }
  size_t PieceCountOfNext() {
    copy_.Prepare(StackCopy::Extent::kAll);
    return PieceCount();
  }
  // Of the last copy.
  size_t PieceCount() {
    std::vector<MemoryPiece> pieces;
    copy_.AppendPieces(0, pieces);
    return pieces.size();
  }
  bool HoldsAllFrames() {
    for (const FakeTarget::Frame& frame : thread_->frames) {
      const uint8_t* bytes = copy_.Find(0, frame.address);
      if (bytes == nullptr) return false;
      if (layout_.Decode(frame.address, bytes).address != frame.address) return false;
    }
    return true;
  }

  FakeMemory memory_;
  FakeTarget target_{memory_, TargetOffsets("3.14.8")};
  FrameLayout layout_{target_.offsets()};
  const FakeCode* code_ = target_.NewCode("f", 1, 20, 50);
  FakeTarget::Thread* thread_ = nullptr;
  KnownCallers callers_;
  StackCopy copy_{layout_.size(), callers_};
};

TEST_F(StackCopyTest, LearnsTheWholeChainAtOnce) {
  Call(50);  // several chunks
  target_.Resume(thread_, target_.NewGenerator(code_));
  target_.CallFromC(thread_, code_);
  target_.Finish();
  EXPECT_EQ(copy_.Find(0, top()), nullptr);
  ASSERT_TRUE(Learn(top()).ok());
  EXPECT_EQ(copy_.Find(0, top()), nullptr) << "not copied yet";
  Read();
  EXPECT_TRUE(HoldsAllFrames());
  const uint8_t* bytes = copy_.Find(1, top());
  ASSERT_NE(bytes, nullptr);
  EXPECT_EQ(layout_.Decode(top(), bytes).executable, code_->address);
}

TEST_F(StackCopyTest, PlacesThatOverlapDoNotDriveEachOtherOut) {
  const uint64_t entry = thread_->frames[0].address;
  ASSERT_TRUE(Learn(top()).ok());
  for (const uint64_t other : {entry - 32, entry + 24}) {
    PutEntryFrame(other);
    ASSERT_TRUE(Learn(other).ok());
    Read();
    EXPECT_NE(copy_.Find(0, other), nullptr);
    EXPECT_TRUE(HoldsAllFrames());
  }
  const uint8_t* bytes = copy_.Find(0, entry);
  ASSERT_NE(bytes, nullptr);
  EXPECT_EQ(layout_.Decode(entry, bytes).owner, FrameRecord::Owner::kInterpreter);
}

TEST_F(StackCopyTest, AFewMoreCallsAreNoMiss) {
  ASSERT_TRUE(Learn(top()).ok());
  Call(2);
  Read();
  EXPECT_TRUE(HoldsAllFrames());
}

TEST_F(StackCopyTest, AddressesAtTheEndOfTheWorldAreNotHeld) {
  ASSERT_TRUE(Learn(top()).ok());
  Read();
  for (uint64_t distance = 0; distance < 200; ++distance) {
    EXPECT_EQ(copy_.Find(0, ~uint64_t{0} - distance), nullptr);
    copy_.Touch(~uint64_t{0} - distance, {8});
    EXPECT_FALSE(copy_.IsChunkStart(~uint64_t{0} - distance));
  }
  EXPECT_EQ(copy_.Find(0, 0), nullptr);
}

TEST_F(StackCopyTest, KnowsWhereAChunkStarts) {
  ASSERT_TRUE(Learn(top()).ok());
  Read();
  const uint64_t chunk = thread_->chunks[0];
  EXPECT_TRUE(copy_.IsChunkStart(chunk + 24));
  EXPECT_TRUE(copy_.IsChunkStart(chunk + 32));
  EXPECT_FALSE(copy_.IsChunkStart(chunk));
  EXPECT_FALSE(copy_.IsChunkStart(chunk + 40));
  EXPECT_FALSE(copy_.IsChunkStart(thread_->frames[0].address)) << "an entry frame";
}

TEST_F(StackCopyTest, WhatCannotBeReadIsNoPlace) {
  ASSERT_TRUE(Learn(top()).ok());
  Read();
  const size_t before = PieceCount();
  for (const uint64_t address : {uint64_t{8}, uint64_t{0xdead'0000}, ~uint64_t{0} - 7}) {
    EXPECT_TRUE(absl::IsDataLoss(Learn(address)));
  }
  EXPECT_EQ(PieceCount(), before);
  Read();
  EXPECT_TRUE(HoldsAllFrames());
}

TEST_F(StackCopyTest, CorruptChunkHeadersEnd) {
  const uint64_t chunk = thread_->chunks[0];
  for (const uint64_t size : {uint64_t{0}, uint64_t{24}, ~uint64_t{0}, uint64_t{1} << 40}) {
    target_.Put(chunk + 8, size);
    EXPECT_TRUE(absl::IsDataLoss(Learn(top()))) << size;
  }
  target_.Put(chunk + 8, FakeTarget::kChunkSize);
  target_.Put(chunk, chunk);  // the chunks' list loops
  memory_.calls = 0;
  Learn(top()).IgnoreError();
  EXPECT_LT(memory_.calls, 20'000u);
}

TEST_F(StackCopyTest, AFrameThatReachesPastItsChunkIsNotHeld) {
  const uint64_t end = thread_->chunks[0] + FakeTarget::kChunkSize;
  Learn(end - 8).IgnoreError();
  Read();
  EXPECT_EQ(copy_.Find(0, end - 8), nullptr);
}

TEST_F(StackCopyTest, AnotherChunkAtAFreedOnesAddress) {
  ASSERT_TRUE(Learn(top()).ok());
  Read();
  // As if the chunk had been freed and a generator lay in it now: the list has it no more.
  const uint64_t chunk = thread_->chunks[0];
  const uint64_t other = target_.objects().Allocate(FakeTarget::kChunkSize);
  target_.Put(other + 8, FakeTarget::kChunkSize);
  target_.Put(thread_->state + target_.offsets().thread_state.datastack_chunk, other);
  EXPECT_TRUE(Learn(other + 32).ok());
  Read();
  EXPECT_NE(copy_.Find(0, other + 32), nullptr);
  EXPECT_TRUE(copy_.IsChunkStart(chunk + 32)) << "kept for a while";
}

TEST_F(StackCopyTest, AKnownChainIsLearntWithoutReading) {
  for (int i = 0; i < 20; ++i) target_.Resume(thread_, target_.NewGenerator(code_));
  target_.Finish();
  ASSERT_TRUE(Learn(top()).ok());
  Read();
  const size_t pieces = PieceCount();
  for (int copy = 0; copy < 100; ++copy) {
    copy_.Touch(thread_->frames[0].address, {});  // the entry frame
    copy_.Touch(thread_->frames[1].address, {});
    Read();
  }
  ASSERT_EQ(PieceCount(), 2u) << "the others were dropped";
  memory_.calls = 0;
  ASSERT_TRUE(Learn(top()).ok());
  EXPECT_EQ(memory_.calls, 0u);
  Read();
  EXPECT_EQ(PieceCount(), pieces);
  EXPECT_TRUE(HoldsAllFrames());
}

TEST_F(StackCopyTest, AKnownCallerThatIsNoMoreIsFoundOut) {
  target_.Resume(thread_, target_.NewGenerator(code_));
  target_.Finish();
  ASSERT_TRUE(Learn(top()).ok());
  // As if the frame's memory had been given back, and another call of ours met that.
  callers_.Remember(0xdead'0000, {thread_->frames[1].address});
  ASSERT_TRUE(Learn(0xdead'0000).ok()) << "it was not looked at";
  copy_.Reset();
  EXPECT_TRUE(absl::IsDataLoss(Learn(0xdead'0000)));
  ASSERT_TRUE(Learn(top()).ok());
  Read();
  EXPECT_TRUE(HoldsAllFrames());
}

// A generator may have been resumed by another thread before.
TEST_F(StackCopyTest, AKnownCallerOnTheStackOfAnotherThreadIsNoPlace) {
  target_.Resume(thread_, target_.NewGenerator(code_));
  FakeTarget::Thread* other = target_.NewThread();
  target_.CallFromC(other, code_);
  target_.Finish();
  callers_.Remember(top(), {other->frames.back().address});
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Learn(top()).ok());
    Read();
  }
  EXPECT_EQ(copy_.Find(0, other->frames.back().address), nullptr);
  EXPECT_TRUE(HoldsAllFrames());
}

TEST_F(StackCopyTest, CallersThatLoopEnd) {
  callers_.Remember(0x1000, {0x2000});
  callers_.Remember(0x2000, {0x1000});
  memory_.calls = 0;
  EXPECT_TRUE(Learn(0x1000).ok());
  EXPECT_EQ(memory_.calls, 0u);
  EXPECT_EQ(PieceCountOfNext(), 2u);
}

TEST_F(StackCopyTest, PlacesThatLieTogetherAreOnePiece) {
  const uint64_t memory = target_.objects().Allocate(8192);
  const std::vector<uint64_t> near = {memory, memory + 200, memory + 600};
  const uint64_t far = memory + 4000;
  for (const uint64_t address : {memory, memory + 200, memory + 600, far}) {
    PutEntryFrame(address);
    ASSERT_TRUE(Learn(address).ok());
  }
  target_.Put(memory + 200, 0x1234);
  target_.Put(far, 0x5678);
  Read();
  EXPECT_EQ(PieceCount(), 2u);
  for (int copy = 0; copy < 2; ++copy) {
    for (const uint64_t address : near) ASSERT_NE(copy_.Find(copy, address), nullptr);
    EXPECT_EQ(Load<uint64_t>(copy_.Find(copy, memory + 200), 0), 0x1234u);
    EXPECT_EQ(Load<uint64_t>(copy_.Find(copy, far), 0), 0x5678u);
  }
  EXPECT_EQ(copy_.Find(0, memory + 400), nullptr) << "between two places";
}

TEST_F(StackCopyTest, ANarrowCopyHoldsWhatWasUsedLast) {
  FakeTarget::Generator* other = target_.NewGenerator(code_);
  FakeTarget::Generator* learnt = target_.NewGenerator(code_);
  ASSERT_TRUE(Learn(top()).ok());
  ASSERT_TRUE(Learn(other->address).ok());
  Read();
  Read();
  for (const FakeTarget::Frame& frame : thread_->frames) copy_.Touch(frame.address, {});
  ASSERT_TRUE(Learn(learnt->address).ok());
  Read(StackCopy::Extent::kLastUsed);
  EXPECT_TRUE(HoldsAllFrames());
  EXPECT_NE(copy_.Find(1, learnt->address), nullptr);
  EXPECT_EQ(copy_.Find(0, other->address), nullptr);
  Read();
  EXPECT_NE(copy_.Find(0, other->address), nullptr) << "it was kept";
}

TEST_F(StackCopyTest, FewPlacesAreCopiedInVain) {
  ASSERT_TRUE(Learn(top()).ok());
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(Learn(target_.NewGenerator(code_)->address).ok());
    Read();
    for (const FakeTarget::Frame& frame : thread_->frames) copy_.Touch(frame.address, {});
    EXPECT_LE(PieceCount(), 19u) << "those of two copies and 16";
  }
}

TEST_F(StackCopyTest, PlacesThatNobodyUsesAreDropped) {
  ASSERT_TRUE(Learn(top()).ok());
  for (int i = 0; i < 30; ++i) {
    FakeTarget::Generator* generator = target_.NewGenerator(code_);
    ASSERT_TRUE(Learn(generator->address).ok());
  }
  Read();
  EXPECT_GE(PieceCount(), 32u);
  for (int pass = 0; pass < 200; ++pass) {
    for (const FakeTarget::Frame& frame : thread_->frames) copy_.Touch(frame.address, {});
    Read();
  }
  EXPECT_EQ(PieceCount(), 2u) << "the chunk and the entry frame";
  EXPECT_TRUE(HoldsAllFrames());
}

TEST_F(StackCopyTest, PlacesAreBounded) {
  for (int i = 0; i < 6000; ++i) {
    ASSERT_TRUE(Learn(target_.NewGenerator(code_)->address).ok());
    if (i % 8 == 0) Read();
  }
  EXPECT_LE(PieceCount(), 2100u);
}

TEST_F(StackCopyTest, DeepStacksShrinkAgain) {
  Call(100);
  ASSERT_TRUE(Learn(top()).ok());
  Read();
  const size_t deep = PieceCount();
  for (int i = 0; i < 100; ++i) target_.Return(thread_);
  target_.Finish();
  for (int pass = 0; pass < 200; ++pass) {
    Read();
    for (const FakeTarget::Frame& frame : thread_->frames) copy_.Touch(frame.address, {});
  }
  EXPECT_LT(PieceCount(), deep);
  std::vector<MemoryPiece> pieces;
  copy_.AppendPieces(0, pieces);
  size_t bytes = 0;
  for (const MemoryPiece& piece : pieces) bytes += piece.size;
  EXPECT_LT(bytes, 3000u);
}

TEST_F(StackCopyTest, LoopsEnd) {
  Call(2);
  target_.Put(top() + target_.offsets().interpreter_frame.previous, top());
  memory_.calls = 0;
  Learn(top()).IgnoreError();
  EXPECT_LT(memory_.calls, 100u);
}

}  // namespace
}  // namespace fthreadprof
