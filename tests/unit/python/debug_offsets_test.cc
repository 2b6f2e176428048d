#include "python/debug_offsets.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "unit/python/test_offsets.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

using ::testing::HasSubstr;

constexpr const char* kCaptured[] = {"3.13.5t", "3.13.15", "3.14.8", "3.15.0"};

std::vector<uint8_t> Bytes(std::vector<uint64_t> words) {
  std::vector<uint8_t> bytes(words.size() * sizeof(uint64_t));
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return bytes;
}

absl::StatusOr<DebugOffsets> ParseWords(const std::vector<uint64_t>& words) {
  return DebugOffsets::Parse(Bytes(words));
}

bool Same(const DebugOffsets& a, const DebugOffsets& b) {
  return a.version_hex == b.version_hex && a.free_threaded == b.free_threaded &&
         std::memcmp(&a.runtime_state, &b.runtime_state,
                     sizeof a - offsetof(DebugOffsets, runtime_state)) == 0;
}

class DebugOffsetsOfRelease : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Captured, DebugOffsetsOfRelease, testing::ValuesIn(kCaptured));

TEST_P(DebugOffsetsOfRelease, ParsesWithBytesBehindTheTable) {
  std::vector<uint64_t> words = CapturedTable(GetParam());
  auto exact = ParseWords(words);
  ASSERT_TRUE(exact.ok()) << exact.status();
  const std::string name = GetParam();
  EXPECT_EQ(exact->VersionString() + (exact->free_threaded ? "t" : ""), name);
  words.resize(DebugOffsets::kMaxTableSize / 8, 0x5555'5555'5555'5555);
  auto longer = ParseWords(words);
  ASSERT_TRUE(longer.ok()) << longer.status();
  EXPECT_TRUE(Same(*exact, *longer));
}

// Nothing that is read escapes validation: a wild value either fails or was not read at all.
TEST_P(DebugOffsetsOfRelease, RejectsEachFieldWhenItIsWild) {
  const std::vector<uint64_t> words = CapturedTable(GetParam());
  const auto good = ParseWords(words);
  ASSERT_TRUE(good.ok());
  for (const uint64_t wild :
       {~uint64_t{0}, ~uint64_t{0} - 7, uint64_t{1} << 40, uint64_t{1} << 25}) {
    size_t rejected = 0;
    for (size_t i = 0; i < words.size(); ++i) {
      std::vector<uint64_t> corrupt = words;
      corrupt[i] = wild;
      const auto parsed = ParseWords(corrupt);
      if (!parsed.ok()) {
        ++rejected;
      } else {
        EXPECT_TRUE(Same(*good, *parsed)) << "word " << i << " = " << wild << " went through";
      }
    }
    EXPECT_GE(rejected, 55u);
  }
}

TEST_P(DebugOffsetsOfRelease, RejectsEveryTruncation) {
  std::vector<uint8_t> bytes = Bytes(CapturedTable(GetParam()));
  // What is not read at the end of 3.14's and 3.15's tables may be missing.
  const size_t unread = GetParam()[3] == '3' ? 0 : 8 * sizeof(uint64_t);
  for (size_t size = 0; size < bytes.size() - unread; ++size) {
    EXPECT_FALSE(DebugOffsets::Parse(std::span(bytes).first(size)).ok()) << size;
  }
}

TEST_P(DebugOffsetsOfRelease, SurvivesRandomBytes) {
  std::mt19937_64 random(42);
  const std::vector<uint64_t> words = CapturedTable(GetParam());
  for (int i = 0; i < Repetitions(20'000); ++i) {
    std::vector<uint64_t> corrupt = words;
    const size_t changes = 1 + random() % 8;
    for (size_t change = 0; change < changes; ++change) {
      corrupt[3 + random() % (corrupt.size() - 3)] = random() >> (random() % 64);
    }
    const auto parsed = ParseWords(corrupt);
    if (!parsed.ok()) {
      const std::string message(parsed.status().message());
      EXPECT_FALSE(message.empty() || message.find('\n') != std::string::npos) << message;
      continue;
    }
    EXPECT_LE(parsed->code_object.version + 4, parsed->code_object.size);
    EXPECT_LE(parsed->interpreter_state.threads_head + 8, parsed->interpreter_state.size);
    EXPECT_LE(parsed->interpreter_state.gil_locked, 1024u);
  }
}

// tests/headers compares all of them with CPython's headers; these are the ones that differ by
// version.
TEST(DebugOffsets, KnowsWhatTheTableLeavesOut) {
  const DebugOffsets t313 = *ParseWords(CapturedTable("3.13.5t"));
  EXPECT_EQ(t313.thread_state.state, t313.thread_state.status + 8);
  EXPECT_EQ(t313.interpreter_frame.stacktop, t313.interpreter_frame.instr_ptr + 8);
  EXPECT_EQ(t313.interpreter_frame.stackpointer, DebugOffsets::kAbsent);
  EXPECT_EQ(t313.interpreter_state.threads_main, DebugOffsets::kAbsent);
  EXPECT_EQ(t313.code_object.co_tlbc, DebugOffsets::kAbsent);
  EXPECT_EQ(t313.gen_object.gi_iframe, DebugOffsets::kAbsent);
  EXPECT_EQ(t313.pyobject.size, 32u);
  EXPECT_EQ(t313.type_object.tp_basicsize, 48u);
  EXPECT_EQ(t313.interpreter_state.gil_enabled, 0u);
  EXPECT_EQ(t313.interpreter_state.gil_last_holder, 16u);
  EXPECT_EQ(t313.interpreter_state.gil_locked, 24u);

  const DebugOffsets g314 = *ParseWords(CapturedTable("3.14.8"));
  EXPECT_EQ(g314.thread_state.state, g314.thread_state.status + 12);
  EXPECT_EQ(g314.interpreter_frame.stacktop, DebugOffsets::kAbsent);
  EXPECT_EQ(g314.interpreter_frame.tlbc_index, DebugOffsets::kAbsent);
  EXPECT_EQ(g314.code_object.co_tlbc, DebugOffsets::kAbsent);
  EXPECT_EQ(g314.thread_state.base_frame, DebugOffsets::kAbsent);
  EXPECT_EQ(g314.interpreter_state.gil_enabled, DebugOffsets::kAbsent);
  EXPECT_EQ(g314.interpreter_state.gil_last_holder, 8u);
  EXPECT_EQ(g314.interpreter_state.gil_locked, 16u);
  EXPECT_NE(g314.interpreter_state.code_object_generation, DebugOffsets::kAbsent);

  const DebugOffsets g315 = *ParseWords(CapturedTable("3.15.0"));
  EXPECT_EQ(g315.thread_state.state, g315.thread_state.status + 16);
  EXPECT_EQ(g315.thread_state.base_frame, g315.thread_state.current_frame + 8);
  EXPECT_EQ(g315.type_object.ht_cached_keys, g315.type_object.size + 464);
}

TEST(DebugOffsets, RejectsOtherVersionsInOneSentence) {
  std::vector<uint64_t> words = CapturedTable("3.15.0");
  words[1] = 0x031000f0;
  EXPECT_EQ(ParseWords(words).status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(ParseWords(words).status().message()),
              HasSubstr("Python 3.16 is not supported yet"));
  words[1] = 0x030c01f0;
  EXPECT_THAT(std::string(ParseWords(words).status().message()),
              HasSubstr("Python 3.12 is not supported;"));
  for (const uint64_t version :
       {uint64_t{0}, uint64_t{0x040000f0}, uint64_t{1} << 32 | 0x030f00f0}) {
    words[1] = version;
    EXPECT_EQ(ParseWords(words).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(DebugOffsets, RejectsAMissingCookieAndAnOddFlag) {
  std::vector<uint64_t> words = CapturedTable("3.14.8");
  words[2] = 2;
  EXPECT_FALSE(ParseWords(words).ok());
  words[2] = 0;
  words[0] ^= 1;
  EXPECT_THAT(std::string(ParseWords(words).status().message()), HasSubstr("not Python 3.13"));
  EXPECT_FALSE(DebugOffsets::Parse({}).ok());
}

// A pre-release may have the columns of the version before under its own number.
TEST(DebugOffsets, RejectsAPreReleaseWithAnotherLayout) {
  std::vector<uint64_t> words = CapturedTable("3.14.8");
  words[1] = 0x030f00a1;
  words.resize(DebugOffsets::kMaxTableSize / 8);
  const auto parsed = ParseWords(words);
  ASSERT_FALSE(parsed.ok());
  EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("3.15.0a1"));
  EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("pre-release"));
}

TEST(DebugOffsets, NamesPreReleases) {
  DebugOffsets offsets;
  offsets.version_hex = 0x030f00b1;
  EXPECT_EQ(offsets.VersionString(), "3.15.0b1");
  offsets.version_hex = 0x030e00c2;
  EXPECT_EQ(offsets.VersionString(), "3.14.0rc2");
  offsets.version_hex = 0x030d05f0;
  EXPECT_EQ(offsets.VersionString(), "3.13.5");
}

}  // namespace
}  // namespace fthreadprof
