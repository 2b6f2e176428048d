#include "python/code_object_cache.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "unit/python/fake_target.h"

namespace fthreadprof {
namespace {

class CodeObjectCacheTest : public testing::TestWithParam<const char*> {
 protected:
  const DebugOffsets::CodeObject& c() const { return target_.offsets().code_object; }
  bool IsTorn(uint64_t address) { return absl::IsDataLoss(cache_.Resolve(address).status()); }

  FakeMemory memory_;
  FakeTarget target_{memory_, TargetOffsets(GetParam())};
  const FakeCode* code_ = target_.NewCode("work", 200, 30, 25);
  CodeObjectCache cache_{memory_, target_.offsets()};
};
INSTANTIATE_TEST_SUITE_P(Releases, CodeObjectCacheTest, testing::ValuesIn(kTargetReleases));

TEST_P(CodeObjectCacheTest, ReadsNamesSizesAndLines) {
  EXPECT_EQ(cache_.Find(code_->address), nullptr);
  auto code = cache_.Resolve(code_->address);
  ASSERT_TRUE(code.ok());
  EXPECT_EQ(cache_.Find(code_->address), *code);
  EXPECT_EQ((*code)->function, "work");
  EXPECT_EQ((*code)->file, "/app/work.py");
  EXPECT_EQ((*code)->framesize, 200u);
  EXPECT_EQ((*code)->code_units, 30u);
  EXPECT_FALSE((*code)->is_shim);
  const uint64_t start = code_->copies[0];
  EXPECT_EQ(cache_.LineOf(**code, start, 0), 200);
  EXPECT_EQ(cache_.LineOf(**code, start + 2 * 29, 0), 229);
  EXPECT_EQ(cache_.LineOf(**code, start - 2, 0), -1);
  EXPECT_EQ(cache_.LineOf(**code, start + 2 * 30, 0), -1);
  EXPECT_EQ(cache_.LineOf(**code, 0, 0), -1);
  EXPECT_EQ(cache_.LineOf(**code, ~uint64_t{0}, 0), -1);
}

TEST_P(CodeObjectCacheTest, OtherObjectsAreNoCode) {
  EXPECT_TRUE(IsTorn(target_.objects().Str("code").address()));
  EXPECT_TRUE(IsTorn(target_.objects().Allocate(4096)));  // no type at all
  for (const uint64_t address : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}, ~uint64_t{0} - 40}) {
    EXPECT_TRUE(IsTorn(address)) << address;
    EXPECT_EQ(cache_.Find(address), nullptr);
  }
}

TEST_P(CodeObjectCacheTest, SizesThatCannotBeAreTorn) {
  const uint64_t size_at = code_->address + target_.offsets().tuple_object.ob_size;
  for (const uint64_t units : {uint64_t{0}, ~uint64_t{0}, uint64_t{1} << 40}) {
    target_.Put(size_at, units);
    EXPECT_TRUE(IsTorn(code_->address)) << units;
  }
  target_.Put(size_at, 30);
  for (const int32_t words : {0, -1, 1 << 30}) {
    memory_.Write(code_->address + c().framesize, words);
    EXPECT_TRUE(IsTorn(code_->address)) << words;
  }
}

TEST_P(CodeObjectCacheTest, APointerToNothingIsTorn) {
  for (const uint64_t field : {c().qualname, c().filename, c().linetable}) {
    const uint64_t good = target_.Get(code_->address + field);
    for (const uint64_t bad : {uint64_t{0}, ~uint64_t{0} - 8, code_->address}) {
      target_.Put(code_->address + field, bad);
      EXPECT_TRUE(IsTorn(code_->address)) << field << " " << bad;
    }
    target_.Put(code_->address + field, good);
  }
  EXPECT_TRUE(cache_.Resolve(code_->address).ok());
}

// Another code object takes the address between the reading of its pieces, at each boundary.
TEST_P(CodeObjectCacheTest, NeverMixesTwoObjects) {
  size_t torn = 0;
  for (size_t boundary = 0; boundary < 14; ++boundary) {
    const FakeCode* old = target_.NewCode("old", 10, 20, 20);
    CodeObjectCache cache(memory_, target_.offsets());
    size_t pieces = 0;
    memory_.after_piece = [&](const MemoryPiece&) {
      if (pieces++ == boundary) target_.NewCode("young", 500, 20, 20, old->address);
    };
    const auto code = cache.Resolve(old->address);
    memory_.after_piece = nullptr;
    if (!code.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(code.status()));
      ++torn;
      continue;
    }
    const bool is_old = (*code)->function == "old";
    EXPECT_EQ((*code)->file, is_old ? "/app/old.py" : "/app/young.py");
    EXPECT_EQ(cache.LineOf(**code, (*code)->bytecode, 0), is_old ? 10 : 500);
  }
  EXPECT_GT(torn, 2u);
}

TEST_P(CodeObjectCacheTest, ADiscardedEntryLivesUntilItIsReleased) {
  CodeInfo* old = *cache_.Resolve(code_->address);
  const uint64_t serial = old->serial;
  EXPECT_FALSE(old->is_volatile);
  EXPECT_FALSE(cache_.ReleaseRetired());
  cache_.Discard(code_->address);
  EXPECT_EQ(cache_.Find(code_->address), nullptr);
  EXPECT_EQ(old->function, "work");
  CodeInfo* young = *cache_.Resolve(code_->address);
  EXPECT_TRUE(young->is_volatile);
  EXPECT_NE(young->serial, serial);
  EXPECT_TRUE(cache_.ReleaseRetired());
  EXPECT_FALSE(cache_.ReleaseRetired());
  EXPECT_EQ(cache_.Find(code_->address), young);
}

TEST_P(CodeObjectCacheTest, AShimIsWhatSharesOneStringForAllNames) {
  const uint64_t name = target_.Get(code_->address + c().name);
  target_.Put(code_->address + c().qualname, name);
  target_.Put(code_->address + c().filename, name);
  EXPECT_TRUE((*cache_.Resolve(code_->address))->is_shim);
}

using ThreadLocalBytecodeTest = CodeObjectCacheTest;
INSTANTIATE_TEST_SUITE_P(Releases, ThreadLocalBytecodeTest,
                         testing::ValuesIn(kThreadLocalBytecodeReleases));

TEST_P(ThreadLocalBytecodeTest, IsReadAgainWhenItLacksTheIndex) {
  CodeInfo& code = **cache_.Resolve(code_->address);
  EXPECT_EQ(cache_.LineOf(code, code_->copies[0], 1), -1) << "no array yet";
  target_.GrowThreadLocalBytecode(code_, 2);
  EXPECT_EQ(cache_.LineOf(code, code_->copies[1] + 4, 1), 202);
  const size_t calls = memory_.calls;
  EXPECT_EQ(cache_.LineOf(code, code_->copies[1] + 6, 1), 203);
  EXPECT_EQ(memory_.calls, calls) << "remembered";
  EXPECT_EQ(cache_.LineOf(code, code_->copies[0], 1), -1) << "the main copy is not that one's";
  EXPECT_EQ(cache_.LineOf(code, code_->copies[0], 0), 200);
  target_.GrowThreadLocalBytecode(code_, 9);
  EXPECT_EQ(cache_.LineOf(code, code_->copies[8] + 8, 8), 204);
  EXPECT_EQ(cache_.LineOf(code, code_->copies[8], 9), -1);
  // Hostile sizes cost nothing.
  const uint64_t array = target_.Get(code_->address + c().co_tlbc);
  for (const int64_t size : {int64_t{-1}, int64_t{0}, int64_t{1} << 40, int64_t{1} << 62}) {
    memory_.Write(array, size);
    cache_.ForgetThreadLocalBytecode();
    EXPECT_EQ(cache_.LineOf(code, code_->copies[8], 8), -1);
  }
  target_.Put(code_->address + c().co_tlbc, ~uint64_t{0} - 3);
  EXPECT_EQ(cache_.LineOf(code, code_->copies[8], 8), -1);
}

TEST_P(CodeObjectCacheTest, TheProcessMayBeGone) {
  memory_.gone = true;
  EXPECT_TRUE(absl::IsNotFound(cache_.Resolve(code_->address).status()));
}

}  // namespace
}  // namespace fthreadprof
