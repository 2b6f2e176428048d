#include "python/object_reader.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "unit/process/fake_memory.h"
#include "unit/python/fake_objects.h"
#include "unit/python/test_offsets.h"

namespace fthreadprof {
namespace {

// "3.14.8t" is the GIL build's table with a free-threaded build's differences in what is read here.
DebugOffsets OffsetsOf(const std::string& release) {
  if (release != "3.14.8t") return CapturedOffsets(release);
  DebugOffsets offsets = CapturedOffsets("3.14.8");
  offsets.free_threaded = true;
  return offsets;
}

class ObjectReaderTest : public testing::TestWithParam<const char*> {
 protected:
  bool IsTorn(const absl::Status& status) { return status.code() == absl::StatusCode::kDataLoss; }

  DebugOffsets offsets_ = OffsetsOf(GetParam());
  FakeMemory memory_;
  FakeObjects objects_{memory_, offsets_};
  ObjectReader reader_{memory_, offsets_};
};
INSTANTIATE_TEST_SUITE_P(Releases, ObjectReaderTest,
                         testing::Values("3.13.5t", "3.13.15", "3.14.8", "3.14.8t", "3.15.0"));

TEST_P(ObjectReaderTest, ReadsEveryKindOfStr) {
  EXPECT_EQ(*reader_.ReadStr(objects_.Str(U"")), "");
  EXPECT_EQ(*reader_.ReadStr(objects_.Str(U"plain")), "plain");
  EXPECT_EQ(*reader_.ReadStr(objects_.Str(U"caf\u00e9")), "café");
  EXPECT_EQ(*reader_.ReadStr(objects_.Str(U"\u0142\u4e2d")), "ł中");
  EXPECT_EQ(*reader_.ReadStr(objects_.Str(U"\U0001f600!")), "😀!");
  EXPECT_EQ(*reader_.ReadStr(objects_.Str(U"of a subclass", false)), "of a subclass");
  EXPECT_EQ(*reader_.ReadStr(objects_.Str(U"\u4e2d", false)), "中");
}

TEST_P(ObjectReaderTest, CutsLongStrAndReplacesSurrogates) {
  EXPECT_EQ(*reader_.ReadStr(objects_.Str(U"\u4e2d\u4e2d\u4e2d"), 2), "中中");
  const char32_t lone[] = {U'a', static_cast<char32_t>(0xdc80), U'b', 0};
  EXPECT_EQ(*reader_.ReadStr(objects_.Str(lone)),
            "a\xEF\xBF\xBD"
            "b");
}

TEST_P(ObjectReaderTest, RejectsStrThatCannotBe) {
  const ObjectPtr str = objects_.Str(U"ascii");
  memory_.Write<uint8_t>(str.address() + offsets_.unicode_object.asciiobject_size, 0x80);
  EXPECT_TRUE(IsTorn(reader_.ReadStr(str).status()));
  const ObjectPtr wide = objects_.Str(U"\U0001f600");
  memory_.Write<uint32_t>(wide.address() + UnicodeDataField(offsets_), 0x110000);
  EXPECT_TRUE(IsTorn(reader_.ReadStr(wide).status()));
  const ObjectPtr kindless = objects_.Str(U"x");
  memory_.Write<uint32_t>(kindless.address() + offsets_.unicode_object.state, 0);
  EXPECT_TRUE(IsTorn(reader_.ReadStr(kindless).status()));
  EXPECT_TRUE(IsTorn(reader_.ReadStr(objects_.Bytes({1, 2})).status()));
  EXPECT_TRUE(IsTorn(reader_.ReadStr(ObjectPtr(16)).status()));
  EXPECT_TRUE(IsTorn(reader_.ReadStr(ObjectPtr(~uint64_t{0} - 8)).status()));
}

TEST_P(ObjectReaderTest, BoundsAStrThatClaimsToBeHuge) {
  const ObjectPtr str = objects_.Str(U"x");
  memory_.Write<uint64_t>(str.address() + offsets_.unicode_object.length, ~uint64_t{0});
  EXPECT_TRUE(IsTorn(reader_.ReadStr(str).status()));
}

TEST_P(ObjectReaderTest, ReadsBytes) {
  EXPECT_EQ(*reader_.ReadBytes(objects_.Bytes({})), std::vector<uint8_t>());
  EXPECT_EQ(*reader_.ReadBytes(objects_.Bytes({1, 0, 255})), (std::vector<uint8_t>{1, 0, 255}));
  EXPECT_TRUE(IsTorn(reader_.ReadBytes(objects_.Bytes({1, 2, 3}), 2).status()));
  EXPECT_TRUE(IsTorn(reader_.ReadBytes(objects_.Str(U"x")).status()));
  const ObjectPtr negative = objects_.Bytes({1});
  memory_.Write<int64_t>(negative.address() + offsets_.bytes_object.ob_size, -1);
  EXPECT_TRUE(IsTorn(reader_.ReadBytes(negative).status()));
}

TEST_P(ObjectReaderTest, ReadsUnsigned) {
  const uint32_t all = 0x3fffffff;
  EXPECT_EQ(*reader_.ReadUnsigned(objects_.Int({}, 1)), 0u);
  EXPECT_EQ(*reader_.ReadUnsigned(objects_.Int({7})), 7u);
  EXPECT_EQ(*reader_.ReadUnsigned(objects_.Int({5, 1})), (uint64_t{1} << 30) + 5);
  EXPECT_EQ(*reader_.ReadUnsigned(objects_.Int({all, all, 15})), ~uint64_t{0});
  EXPECT_TRUE(IsTorn(reader_.ReadUnsigned(objects_.Int({all, all, 16})).status()));
  EXPECT_TRUE(IsTorn(reader_.ReadUnsigned(objects_.Int({0, 0, 0, 1})).status()));
  EXPECT_TRUE(IsTorn(reader_.ReadUnsigned(objects_.Int({7}, LongTag::kNegative)).status()));
  EXPECT_TRUE(IsTorn(reader_.ReadUnsigned(objects_.Int({all + 1})).status()));
}

TEST_P(ObjectReaderTest, ReadsCombinedDicts) {
  const ObjectPtr a = objects_.Str("a"), b = objects_.Str("b"), c = objects_.Str("c");
  const ObjectPtr number = objects_.Int({3});
  const ObjectPtr dict = objects_.StrDict({{a, b}, {b, ObjectPtr()}, {c, a}});
  const std::vector<DictEntry> entries = *reader_.ReadDict(dict);
  ASSERT_EQ(entries.size(), 2u);  // b was deleted
  EXPECT_EQ(entries[0].key, a);
  EXPECT_EQ(entries[1].value, a);
  EXPECT_EQ(*reader_.LookUp(dict, "c"), a);
  EXPECT_EQ(*reader_.LookUp(dict, "b"), ObjectPtr());
  EXPECT_EQ(*reader_.LookUp(dict, "nowhere"), ObjectPtr());

  const ObjectPtr general = objects_.Dict(objects_.Keys(DictKeys::kGeneral, {{number, a}, {c, b}}));
  EXPECT_EQ(*reader_.LookUp(general, "c"), b);
  EXPECT_EQ(reader_.ReadDict(general)->at(0).key, number);
  EXPECT_TRUE(IsTorn(reader_.ReadDict(general, 1).status()));
}

TEST_P(ObjectReaderTest, LooksUpNamesThatAreNotAscii) {
  const ObjectPtr value = objects_.Int({1});
  const ObjectPtr dict =
      objects_.StrDict({{objects_.Str(U"\u4e2e"), ObjectPtr(1)}, {objects_.Str(U"\u4e2d"), value}});
  EXPECT_EQ(*reader_.LookUp(dict, "中"), value);
}

TEST_P(ObjectReaderTest, ReadsSplitDictInTheOrderOfItsValues) {
  const ObjectPtr a = objects_.Str("a"), b = objects_.Str("b"), c = objects_.Str("c");
  const uint64_t keys = objects_.Keys(DictKeys::kSplit, {{a, {}}, {b, {}}, {c, {}}}, 6);
  const std::vector<uint8_t> bytes = FakeObjects::Values({b, c, ObjectPtr()}, {1, 0}, true);
  const uint64_t values = objects_.Allocate(bytes.size());
  memory_.WriteBytes(values, bytes.data(), bytes.size());
  const ObjectPtr dict = objects_.Dict(keys, values);
  const std::vector<DictEntry> entries = *reader_.ReadDict(dict);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].key, b);
  EXPECT_EQ(entries[0].value, c);
  EXPECT_EQ(entries[1].key, a);
  // An order that names a value that is not there.
  memory_.Write<uint8_t>(values + bytes.size() - 1, 3);
  EXPECT_TRUE(IsTorn(reader_.ReadDict(dict).status()));
}

TEST_P(ObjectReaderTest, RejectsDictsThatDoNotHoldTogether) {
  const ObjectPtr a = objects_.Str("a");
  for (const auto& [offset, value] :
       std::vector<std::pair<uint64_t, uint8_t>>{{DictKeys::kLog2Size, 60},
                                                 {DictKeys::kLog2IndexBytes, 63},
                                                 {DictKeys::kKind, 3},
                                                 {DictKeys::kKind, DictKeys::kSplit},
                                                 {DictKeys::kEntryCount, 200},
                                                 {DictKeys::kEntryCount + 7, 255}}) {
    const uint64_t keys = objects_.Keys(DictKeys::kUnicode, {{a, a}});
    memory_.Write<uint8_t>(keys + offset, value);
    EXPECT_TRUE(IsTorn(reader_.ReadDict(objects_.Dict(keys)).status())) << offset;
  }
  EXPECT_TRUE(IsTorn(reader_.ReadDict(objects_.Dict(0)).status()));
  EXPECT_TRUE(IsTorn(reader_.ReadDict(a).status()));
}

TEST_P(ObjectReaderTest, RejectsADictThatGrewMeanwhile) {
  const ObjectPtr a = objects_.Str("a");
  const uint64_t larger = objects_.Keys(DictKeys::kUnicode, {{a, a}, {a, a}});
  const ObjectPtr dict = objects_.StrDict({{a, a}});
  ASSERT_TRUE(reader_.ReadDict(dict).ok());  // the type is known now
  int calls = 0;
  memory_.before_call = [&] {
    if (++calls == 3)
      memory_.Write<uint64_t>(dict.address() + offsets_.dict_object.ma_keys, larger);
  };
  EXPECT_TRUE(IsTorn(reader_.ReadDict(dict).status()));
  EXPECT_EQ(reader_.ReadDict(dict)->size(), 2u);
}

TEST_P(ObjectReaderTest, ReadsAttributesWhereverTheyAre) {
  const ObjectPtr x = objects_.Str("x"), y = objects_.Str("y"), value = objects_.Int({1});
  const uint64_t keys = objects_.Keys(DictKeys::kSplit, {{x, {}}, {y, {}}}, 6);
  const uint64_t type = objects_.Class(keys, true);
  const ObjectPtr inlined =
      objects_.Instance(type, FakeObjects::Values({ObjectPtr(), value}, {1}, true));
  EXPECT_EQ(*reader_.ReadAttribute(inlined, "y"), value);
  EXPECT_EQ(*reader_.ReadAttribute(inlined, "x"), ObjectPtr());
  EXPECT_EQ(*reader_.ReadAttribute(inlined, "z"), ObjectPtr());

  const ObjectPtr dict = objects_.StrDict({{y, x}});
  const ObjectPtr materialised =
      objects_.Instance(type, FakeObjects::Values({value, value}, {}, false), dict);
  EXPECT_EQ(*reader_.ReadAttribute(materialised, "y"), x);
  EXPECT_EQ(*reader_.ReadAttribute(materialised, "x"), ObjectPtr());

  const uint64_t without = objects_.Class(keys, false);
  EXPECT_EQ(*reader_.ReadAttribute(objects_.Instance(without, {}, dict), "y"), x);
  EXPECT_EQ(*reader_.ReadAttribute(objects_.Instance(without, {}), "y"), ObjectPtr());
  EXPECT_EQ(*reader_.ReadAttribute(objects_.Int({1}), "y"), ObjectPtr());
}

// A class that is freed leaves its keys' address to another's: the remembered slot must not be
// used.
TEST_P(ObjectReaderTest, NoticesOtherKeysAtARememberedAddress) {
  const ObjectPtr x = objects_.Str("x"), y = objects_.Str("y"), value = objects_.Int({1});
  const uint64_t keys = objects_.Keys(DictKeys::kSplit, {{x, {}}, {y, {}}}, 6);
  const ObjectPtr instance =
      objects_.Instance(objects_.Class(keys, true), FakeObjects::Values({x, value}, {0, 1}, true));
  EXPECT_EQ(*reader_.ReadAttribute(instance, "y"), value);
  const uint64_t entries = keys + DictKeys::kHeaderSize + 64;
  memory_.Write<uint64_t>(entries, y.address());
  memory_.Write<uint64_t>(entries + DictKeys::kUnicodeEntrySize, x.address());
  EXPECT_EQ(*reader_.ReadAttribute(instance, "y"), x);
}

TEST_P(ObjectReaderTest, SaysWhenTheProcessIsGone) {
  const ObjectPtr str = objects_.Str("x");
  const ObjectPtr dict = objects_.StrDict({{str, str}});
  memory_.gone = true;
  EXPECT_EQ(reader_.ReadStr(str).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(reader_.LookUp(dict, "x").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace fthreadprof
