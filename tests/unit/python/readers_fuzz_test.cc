// Corrupt memory behind every pointer: the readers of Python objects may fail, but neither crash
// nor hang nor read without bound. ASan and UBSan look on in their builds.
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "python/line_table.h"
#include "python/object_reader.h"
#include "python/thread_names.h"
#include "unit/process/fake_memory.h"
#include "unit/python/fake_threading.h"
#include "unit/python/test_offsets.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

const int kRounds = Repetitions(4000);
// A round reads a few dozen objects; each may have to step over some unreadable keys.
constexpr size_t kMaxCalls = 4000;

class ReadersFuzz : public testing::TestWithParam<const char*> {
 protected:
  ReadersFuzz() {
    FakeObjects& objects = threading_.objects();
    threads_ = {threading_.Thread(0x7f12'3456'7890, U"MainThread"),
                threading_.Thread(0x7f12'3456'0000, U"\u4e2d"),
                threading_.ThreadWithDict(0x7f12'0000'0000, U"dict")};
    threading_.SetActive(threads_);
    bytes_ = objects.Bytes({0xf1, 0x03, 0x01, 0x01, 0x80, 0x12});
    strings_ = {objects.Str("ascii"), objects.Str(U"\u00e9"), objects.Str(U"\U0001f600"),
                objects.Str(U"subclass", false)};
    for (const auto& [address, bytes] : memory_.regions()) addresses_.push_back(address);
  }

  // Flips bits, or puts an address that exists where another was.
  void Corrupt() {
    auto region = memory_.regions().find(addresses_[random_() % addresses_.size()]);
    std::vector<uint8_t>& bytes = region->second;
    if (bytes.size() >= 8 && random_() % 3 == 0) {
      const uint64_t address = addresses_[random_() % addresses_.size()] + random_() % 64;
      std::memcpy(&bytes[random_() % (bytes.size() / 8) * 8], &address, sizeof address);
    } else {
      // Most of a type or an interpreter is not read: aim at the first bytes more often.
      const size_t limit = random_() % 2 == 0 ? std::min<size_t>(bytes.size(), 80) : bytes.size();
      bytes[random_() % limit] ^= static_cast<uint8_t>(1u << random_() % 8);
    }
  }

  void ReadAll() {
    ObjectReader reader(memory_, offsets_);
    ThreadNames names(memory_, offsets_);
    for (int pass = 0; pass < 2; ++pass) {
      if (auto read = names.Read(threading_.interpreter()); read.ok()) {
        EXPECT_LE(read->size(), size_t{1} << 16);
      }
    }
    for (const ObjectPtr str : strings_) {
      if (auto read = reader.ReadStr(str, 100); read.ok()) {
        EXPECT_LE(read->size(), 400u);
      }
    }
    if (auto read = reader.ReadBytes(bytes_, 1000); read.ok()) {
      LineTable::Parse(*read, 1).LineAt(3);
    }
    for (const DictEntry& thread : threads_) {
      reader.ReadAttribute(thread.value, "_name").IgnoreError();
      reader.ReadUnsigned(thread.key).IgnoreError();
    }
  }

  DebugOffsets offsets_ = CapturedOffsets(GetParam());
  FakeMemory memory_;
  FakeThreading threading_{memory_, offsets_};
  std::vector<DictEntry> threads_;
  ObjectPtr bytes_;
  std::vector<ObjectPtr> strings_;
  std::vector<uint64_t> addresses_;
  std::mt19937 random_{20};
};
INSTANTIATE_TEST_SUITE_P(Releases, ReadersFuzz,
                         testing::Values("3.13.5t", "3.13.15", "3.14.8", "3.15.0"));

TEST_P(ReadersFuzz, SurvivesCorruptMemory) {
  const auto intact = memory_.regions();
  for (int round = 0; round < kRounds; ++round) {
    const size_t changes = 1 + random_() % 6;
    for (size_t i = 0; i < changes; ++i) Corrupt();
    memory_.calls = 0;
    ReadAll();
    EXPECT_LE(memory_.calls, kMaxCalls);
    memory_.regions() = intact;
  }
}

TEST_P(ReadersFuzz, SurvivesMemoryThatChangesWhileItIsRead) {
  const auto intact = memory_.regions();
  memory_.before_call = [this] { Corrupt(); };
  for (int round = 0; round < kRounds / 4; ++round) {
    memory_.calls = 0;
    ReadAll();
    EXPECT_LE(memory_.calls, kMaxCalls);
    memory_.regions() = intact;
  }
}

}  // namespace
}  // namespace fthreadprof
