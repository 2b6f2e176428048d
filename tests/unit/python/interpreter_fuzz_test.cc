// Corrupt memory behind every pointer of a whole fake target: passes may fail or be torn, but they
// neither crash nor hang nor read without bound. ASan and UBSan look on in their builds.
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "unit/python/fake_target.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

const int kRounds = Repetitions(1500);
constexpr int kPassesARound = 3;
// Each of the six threads tries two dozen times to copy, twice, the places that its corrupt chains
// led to: a hundred or so.
constexpr size_t kMaxPieces = 60'000;

class InterpreterFuzz : public testing::TestWithParam<const char*> {
 protected:
  InterpreterFuzz() {
    const FakeCode* run = target_.NewCode("run", 10);
    const FakeCode* work = target_.NewCode("work", 200, 30, 25);
    const FakeCode* generator = target_.NewCode("gen", 400, 16, 18);
    if (target_.offsets().code_object.co_tlbc != DebugOffsets::kAbsent) {
      target_.GrowThreadLocalBytecode(run, 3);
      target_.GrowThreadLocalBytecode(work, 3);
      target_.GrowThreadLocalBytecode(generator, 3);
    }
    const uint64_t second = target_.NewInterpreter();
    for (uint32_t i = 0; i < 6; ++i) {
      FakeTarget::Thread* thread = target_.NewThread(i % 3 == 2 ? second : 0);
      thread->tlbc_index = i % 3;
      target_.CallFromC(thread, run);
      target_.Resume(thread, target_.NewGenerator(generator));
      for (int depth = 0; depth < 25; ++depth) target_.Call(thread, work, depth);
      target_.CallFromC(thread, work);
      target_.Finish();
    }
    for (const auto& [address, bytes] : memory_.regions()) {
      addresses_.push_back(address);
      if (bytes.size() < 2000 || bytes.size() == FakeTarget::kChunkSize) often_.push_back(address);
    }
  }

  // Flips bits, or puts an address where another was: one that exists or is as large as can be.
  void Corrupt() {
    const auto& from = random_() % 4 == 0 ? addresses_ : often_;
    auto region = memory_.regions().find(from[random_() % from.size()]);
    if (region == memory_.regions().end()) return;
    std::vector<uint8_t>& bytes = region->second;
    const size_t words = bytes.size() / 8;
    if (words == 0) return;
    const size_t limit = random_() % 2 == 0 ? std::min<size_t>(words, 40) : words;
    const size_t at = random_() % limit * 8;
    uint64_t value = 0;
    switch (random_() % 5) {
      case 0:
        value = addresses_[random_() % addresses_.size()] + random_() % 128;
        break;
      case 1:
        value = ~uint64_t{0} - random_() % 256;
        break;
      case 2:
        value = region->first + random_() % bytes.size();
        break;
      default:
        std::memcpy(&value, &bytes[at], sizeof value);
        value ^= uint64_t{1} << random_() % 64;
    }
    std::memcpy(&bytes[at], &value, sizeof value);
    if (random_() % 40 == 0) memory_.regions().erase(region);
  }

  void ReadPasses() {
    InterpreterReader reader(memory_, target_.runtime());
    std::vector<const CodeInfo*> stale;
    for (int pass = 0; pass < kPassesARound; ++pass) {
      memory_.pieces_read = 0;
      const absl::Status status = reader.ReadPass();
      EXPECT_TRUE(status.ok() || absl::IsUnavailable(status)) << status;
      EXPECT_LE(reader.threads().size(), 64u);
      for (const PythonThread* thread : reader.threads()) {
        for (const StackFrame& frame : thread->frames) EXPECT_GE(frame.line, 0);
      }
      if (pass == 1) EXPECT_TRUE(reader.VerifyCode(stale).ok());
      most_pieces_ = std::max(most_pieces_, memory_.pieces_read);
      ASSERT_LE(memory_.pieces_read, kMaxPieces);
      complete_ += status.ok();
    }
  }

  FakeMemory memory_;
  FakeTarget target_{memory_, TargetOffsets(GetParam())};
  std::vector<uint64_t> addresses_;
  std::vector<uint64_t> often_;
  std::mt19937_64 random_{7};
  size_t most_pieces_ = 0;
  size_t complete_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Releases, InterpreterFuzz, testing::ValuesIn(kTargetReleases));

TEST_P(InterpreterFuzz, SurvivesCorruptMemory) {
  const auto intact = memory_.regions();
  for (int round = 0; round < kRounds; ++round) {
    const size_t changes = 1 + random_() % 8;
    for (size_t i = 0; i < changes; ++i) Corrupt();
    ReadPasses();
    if (HasFatalFailure()) FAIL() << "round " << round;
    memory_.regions() = intact;
  }
  RecordProperty("most_pieces", static_cast<int>(most_pieces_));
  EXPECT_GT(complete_, 0u);
}

TEST_P(InterpreterFuzz, SurvivesMemoryThatChangesWhileItIsRead) {
  const auto intact = memory_.regions();
  memory_.part_size = 256;
  for (int round = 0; round < kRounds / 3; ++round) {
    memory_.after_part = [this] {
      if (random_() % 16 == 0) Corrupt();
    };
    ReadPasses();
    memory_.after_part = nullptr;
    if (HasFatalFailure()) FAIL() << "round " << round;
    memory_.regions() = intact;
  }
}

// Nothing but noise, from the table of offsets' struct sizes on.
TEST_P(InterpreterFuzz, SurvivesNoise) {
  const auto intact = memory_.regions();
  for (int round = 0; round < kRounds / 10; ++round) {
    for (auto& [address, bytes] : memory_.regions()) {
      if (address == FakeTarget::kRuntime || random_() % 3 != 0) continue;
      for (size_t i = 0; i < bytes.size(); i += 1 + random_() % 64) {
        bytes[i] = static_cast<uint8_t>(random_());
      }
    }
    ReadPasses();
    if (HasFatalFailure()) FAIL() << "round " << round;
    memory_.regions() = intact;
  }
}

}  // namespace
}  // namespace fthreadprof
