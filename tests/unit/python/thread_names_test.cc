#include "python/thread_names.h"

#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "unit/process/fake_memory.h"
#include "unit/python/fake_threading.h"
#include "unit/python/test_offsets.h"

namespace fthreadprof {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr uint64_t kIdent = 0x7f12'3456'7890;
constexpr uint64_t kOther = 0x7f12'0000'0640;

class ThreadNamesTest : public testing::TestWithParam<const char*> {
 protected:
  std::map<uint64_t, std::string> Names() {
    auto names = reader_.Read(threading_.interpreter());
    EXPECT_TRUE(names.ok()) << names.status();
    if (!names.ok()) return {};
    return {names->begin(), names->end()};
  }

  DebugOffsets offsets_ = CapturedOffsets(GetParam());
  FakeMemory memory_;
  FakeThreading threading_{memory_, offsets_};
  ThreadNames reader_{memory_, offsets_};
};
INSTANTIATE_TEST_SUITE_P(Releases, ThreadNamesTest,
                         testing::Values("3.13.5t", "3.13.15", "3.14.8", "3.15.0"));

TEST_P(ThreadNamesTest, ReadsNamesHoweverTheyAreKept) {
  threading_.SetActive({threading_.Thread(kIdent, U"MainThread"),
                        threading_.Thread(kOther, U"\u4e2d-1"),
                        threading_.ThreadWithDict(5, U"small ident")});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Names(), UnorderedElementsAre(Pair(kIdent, "MainThread"), Pair(kOther, "中-1"),
                                              Pair(5, "small ident")));
  }
}

TEST_P(ThreadNamesTest, HasNoneBeforeThreadingIsImported) {
  threading_.SetModules(ObjectPtr());
  EXPECT_THAT(Names(), IsEmpty());
  threading_.SetModules(threading_.objects().StrDict({}));
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_P(ThreadNamesTest, ReadsKnownThreadsInSixCalls) {
  std::vector<DictEntry> threads;
  for (uint64_t i = 0; i < 60; ++i) threads.push_back(threading_.Thread(kIdent + i, U"worker"));
  threading_.SetActive(threads);
  EXPECT_EQ(Names().size(), 60u);
  memory_.calls = 0;
  EXPECT_EQ(Names().size(), 60u);
  EXPECT_LE(memory_.calls, 6u);
}

TEST_P(ThreadNamesTest, SeesANewName) {
  const DictEntry thread = threading_.Thread(kIdent, U"old");
  threading_.SetActive({thread});
  EXPECT_THAT(Names(), UnorderedElementsAre(Pair(kIdent, "old")));
  memory_.Write<uint64_t>(threading_.NameSlot(thread), threading_.objects().Str("new").address());
  EXPECT_THAT(Names(), UnorderedElementsAre(Pair(kIdent, "new")));
}

// All that was freed is used again in the same places: by another thread with another name.
TEST_P(ThreadNamesTest, SeesAnotherThreadAtTheSameAddresses) {
  const DictEntry thread = threading_.Thread(kIdent, U"job-1");
  threading_.SetActive({thread});
  EXPECT_THAT(Names(), UnorderedElementsAre(Pair(kIdent, "job-1")));
  const uint64_t name = *memory_.ReadValue<uint64_t>(threading_.NameSlot(thread));
  memory_.Write<char>(name + offsets_.unicode_object.asciiobject_size + 4, '2');
  EXPECT_THAT(Names(), UnorderedElementsAre(Pair(kIdent, "job-2")));
  memory_.Write<uint32_t>(thread.key.address() + offsets_.long_object.ob_digit,
                          kOther & 0x3fffffff);
  memory_.Write<uint32_t>(thread.key.address() + offsets_.long_object.ob_digit + 4, kOther >> 30);
  EXPECT_THAT(Names(), UnorderedElementsAre(Pair(kOther, "job-2")));
}

// Between reading the dict and the Thread, the Thread ended and another took its memory.
TEST_P(ThreadNamesTest, LeavesOutEntriesThatDoNotHoldTogether) {
  DictEntry reused = threading_.Thread(kOther, U"another");
  reused.key = threading_.objects().Ident(kIdent);
  DictEntry freed = threading_.Thread(kOther + 64, U"freed");
  memory_.Write<uint64_t>(threading_.NameSlot(freed), 0x10);
  DictEntry nameless = threading_.Thread(kOther + 128, U"nameless");
  memory_.Write<uint64_t>(threading_.NameSlot(nameless), 0);
  const DictEntry no_thread{threading_.objects().Ident(kOther + 192),
                            threading_.objects().Str("no thread")};
  const DictEntry unreadable{threading_.objects().Ident(kOther + 256), ObjectPtr(0x10)};
  const DictEntry no_ident{threading_.objects().Str("no ident"), reused.value};
  threading_.SetActive({reused, freed, nameless, no_thread, unreadable, no_ident,
                        threading_.Thread(kOther, U"good")});
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Names(), UnorderedElementsAre(Pair(kOther, "good")));
  }
}

TEST_P(ThreadNamesTest, TriesAgainWhenTheDictChanges) {
  threading_.SetActive({threading_.Thread(kIdent, U"first")});
  EXPECT_EQ(Names().size(), 1u);
  int calls = 0;
  memory_.before_call = [&] {
    // After the keys' address was read.
    if (++calls == 3) {
      threading_.SetActive({threading_.Thread(kOther, U"second")});
    }
  };
  EXPECT_THAT(Names(), UnorderedElementsAre(Pair(kOther, "second")));
}

TEST_P(ThreadNamesTest, GivesUpOnADictThatNeverHoldsStill) {
  const std::vector<DictEntry> threads = {threading_.Thread(kIdent, U"first")};
  threading_.SetActive(threads);
  memory_.before_call = [&] { threading_.SetActive(threads); };
  EXPECT_EQ(reader_.Read(threading_.interpreter()).status().code(), absl::StatusCode::kDataLoss);
}

TEST_P(ThreadNamesTest, FollowsAReloadOfThreading) {
  threading_.SetActive({threading_.Thread(kIdent, U"old")});
  EXPECT_EQ(Names().size(), 1u);
  FakeObjects& objects = threading_.objects();
  const DictEntry thread = threading_.Thread(kOther, U"new");
  const ObjectPtr active =
      objects.Dict(objects.Keys(DictKeys::kGeneral, {{thread.key, thread.value}}));
  threading_.SetModules(
      objects.StrDict({{objects.Str("threading"),
                        objects.Module(objects.StrDict({{objects.Str("_active"), active}}))}}));
  EXPECT_THAT(Names(), UnorderedElementsAre(Pair(kOther, "new")));
}

TEST_P(ThreadNamesTest, SaysWhenTheProcessIsGone) {
  memory_.gone = true;
  EXPECT_EQ(reader_.Read(threading_.interpreter()).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace fthreadprof
