#include "python/value_reader.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "python/local_variables.h"
#include "unit/python/fake_objects.h"
#include "unit/python/test_offsets.h"

namespace fthreadprof {
namespace {

// Objects with the types' names, which ValueReader goes by.
class ValueReaderTest : public testing::TestWithParam<const char*> {
 protected:
  uint64_t Type(const std::string& name, bool heap = false, uint64_t flags = 0) {
    const uint64_t type = objects_.Allocate(offsets_.type_object.size);
    // At the end of a page that no other follows.
    const uint64_t text = objects_.Allocate(4096) + 4096 - name.size() - 1;
    memory_.WriteBytes(text, name.data(), name.size());
    memory_.Write<uint64_t>(type + offsets_.type_object.tp_name, text);
    memory_.Write<uint64_t>(type + offsets_.type_object.tp_flags,
                            flags | (heap ? TypeFlags::kHeapType : 0));
    return type;
  }
  ObjectPtr As(ObjectPtr object, uint64_t type) {
    objects_.SetType(object.address(), type);
    return object;
  }
  ObjectPtr New(const std::string& type_name, uint64_t size, bool heap = false) {
    return As(ObjectPtr(objects_.Allocate(size)), Type(type_name, heap));
  }
  ObjectPtr Int(const std::vector<uint32_t>& digits, uint64_t sign = 0) {
    return As(objects_.Int(digits, sign), int_type_);
  }
  ObjectPtr Float(double value) {
    const ObjectPtr object = New("float", offsets_.float_object.size);
    memory_.Write<uint64_t>(object.address() + offsets_.float_object.ob_fval,
                            std::bit_cast<uint64_t>(value));
    return object;
  }
  ObjectPtr Str(std::u32string_view text) {
    return As(objects_.Str(text), Type("str", false, TypeFlags::kUnicodeSubclass));
  }
  ObjectPtr List(const std::vector<ObjectPtr>& items, uint64_t size) {
    const ObjectPtr list = New("list", offsets_.list_object.size);
    const uint64_t array = objects_.Allocate(items.size() * kWordSize + 1);
    for (size_t i = 0; i < items.size(); ++i) {
      memory_.Write<uint64_t>(array + i * kWordSize, items[i].address());
    }
    memory_.Write<uint64_t>(list.address() + offsets_.list_object.ob_item, array);
    memory_.Write<uint64_t>(list.address() + offsets_.list_object.ob_size, size);
    return list;
  }

  FakeMemory memory_;
  DebugOffsets offsets_ = CapturedOffsets(GetParam());
  FakeObjects objects_{memory_, offsets_};
  uint64_t int_type_ = Type("int", false, TypeFlags::kLongSubclass);
  ValueReader reader_{memory_, offsets_};
};
INSTANTIATE_TEST_SUITE_P(Releases, ValueReaderTest,
                         testing::Values("3.13.5t", "3.13.15", "3.14.8", "3.15.0"));

TEST_P(ValueReaderTest, SpellsIntsUpTo120Bits) {
  EXPECT_EQ(reader_.Spell(Int({})), "0");
  EXPECT_EQ(reader_.Spell(Int({7}, LongTag::kNegative)), "-7");
  EXPECT_EQ(reader_.Spell(Int({0, 1})), "1073741824");
  EXPECT_EQ(reader_.Spell(Int({0, 0, 0, 1 << 10})), "1267650600228229401496703205376");
  EXPECT_TRUE(reader_.Spell(Int({1, 1, 1, 1, 1})).starts_with("<int of more than 120 bits at 0x"));
  EXPECT_EQ(reader_.Spell(Int({1u << 30})), "?");  // no digit of an int
}

TEST_P(ValueReaderTest, SpellsFloatsAsPythonDoes) {
  const std::vector<std::pair<double, std::string>> cases = {
      {0.0, "0.0"},    {-0.0, "-0.0"},          {1.0, "1.0"},
      {0.1, "0.1"},    {123456.0, "123456.0"},  {1e15, "1000000000000000.0"},
      {1e16, "1e+16"}, {1e22, "1e+22"},         {1e-4, "0.0001"},
      {1e-5, "1e-05"}, {-2.5e-300, "-2.5e-300"}};
  for (const auto& [value, text] : cases) EXPECT_EQ(reader_.Spell(Float(value)), text);
  EXPECT_EQ(reader_.Spell(Float(INFINITY)), "inf");
  EXPECT_EQ(reader_.Spell(Float(-INFINITY)), "-inf");
  EXPECT_EQ(reader_.Spell(Float(NAN)), "nan");
}

TEST_P(ValueReaderTest, QuotesAndCutsStr) {
  EXPECT_EQ(reader_.Spell(Str(U"")), "''");
  EXPECT_EQ(reader_.Spell(Str(U"a'b")), "\"a'b\"");
  EXPECT_EQ(reader_.Spell(Str(U"a'\"b\n\\\x1b")), "'a\\'\"b\\n\\\\\\x1b'");
  EXPECT_EQ(reader_.Spell(Str(std::u32string(60, U'ö'))).size(), 2u + 120);
  const std::string cut = reader_.Spell(Str(std::u32string(61, U'🧵')));
  EXPECT_TRUE(cut.ends_with("🧵'...")) << cut;
  EXPECT_EQ(cut.size(), 2u + 3 + 60 * 4);
}

TEST_P(ValueReaderTest, CutsListsAndDoesNotTrustTheirSize) {
  const ObjectPtr one = Int({1});
  EXPECT_EQ(reader_.Spell(List({}, 0)), "[]");
  EXPECT_EQ(reader_.Spell(List({one, ObjectPtr(0x10)}, 2)), "[1, ?]");
  EXPECT_EQ(reader_.Spell(List(std::vector<ObjectPtr>(8, one), 9)),
            "[1, 1, 1, 1, 1, 1, 1, 1, ...]");
  EXPECT_EQ(reader_.Spell(List(std::vector<ObjectPtr>(8, one), ~uint64_t{0})),
            "[1, 1, 1, 1, 1, 1, 1, 1, ...]");
  EXPECT_EQ(reader_.Spell(List({one}, 100)), "?");  // its items can't be read
}

TEST_P(ValueReaderTest, EndsInAListThatHoldsItself) {
  const ObjectPtr list = List({ObjectPtr()}, 1);
  const auto array = memory_.ReadValue<uint64_t>(list.address() + offsets_.list_object.ob_item);
  memory_.Write<uint64_t>(*array, list.address());
  EXPECT_EQ(reader_.Spell(list), "[[[...]]]");
}

TEST_P(ValueReaderTest, NamesOtherTypes) {
  const std::string text = reader_.Spell(New("collections.deque", offsets_.pyobject.size));
  EXPECT_TRUE(text.starts_with("<deque at 0x")) << text;
  EXPECT_EQ(reader_.Spell(New("NoneType", offsets_.pyobject.size)), "None");
  // A class of the program that is called int is none.
  EXPECT_TRUE(reader_.Spell(New("int", offsets_.pyobject.size, true)).starts_with("<int at 0x"));
}

TEST_P(ValueReaderTest, SaysWhatItCannotRead) {
  EXPECT_EQ(reader_.Spell(ObjectPtr(0x10)), "?");
  EXPECT_EQ(reader_.TypeOf(ObjectPtr(0x10)), "?");
  EXPECT_EQ(reader_.Spell(New(std::string(200, 'n'), offsets_.pyobject.size)), "?");
}

// Function f(a) with a cell variable b, in a frame of its own.
class LocalsReaderTest : public ValueReaderTest {
 protected:
  void SetUp() override {
    code_.address = objects_.Allocate(offsets_.code_object.size);
    code_.serial = 1;
    code_.framesize = 256;
    const uint64_t names = objects_.Allocate(offsets_.tuple_object.ob_item + 2 * kWordSize);
    memory_.Write<uint64_t>(names + offsets_.tuple_object.ob_size, 2);
    memory_.Write<uint64_t>(names + offsets_.tuple_object.ob_item, objects_.Str("a").address());
    memory_.Write<uint64_t>(names + offsets_.tuple_object.ob_item + kWordSize,
                            objects_.Str("b").address());
    memory_.Write<uint64_t>(code_.address + offsets_.code_object.localsplusnames, names);
    memory_.Write<uint64_t>(code_.address + offsets_.code_object.localspluskinds,
                            objects_.Bytes({0x20, LocalKind::kCell}).address());
    names_ = names;
    frame_.address = objects_.Allocate(offsets_.interpreter_frame.localsplus + 2 * kWordSize);
    frame_.executable = code_.address;
    memory_.Write<uint64_t>(frame_.address + offsets_.interpreter_frame.executable, code_.address);
  }
  void SetSlot(size_t index, uint64_t value) {
    memory_.Write<uint64_t>(
        frame_.address + offsets_.interpreter_frame.localsplus + index * kWordSize, value);
  }
  uint64_t Tagged(ObjectPtr object) const {
    return object.address() | (offsets_.minor() >= 14 ? 1 : 0);
  }

  CodeInfo code_;
  FrameRecord frame_;
  uint64_t names_ = 0;
  LocalsReader locals_{memory_, offsets_};
};
INSTANTIATE_TEST_SUITE_P(Releases, LocalsReaderTest,
                         testing::Values("3.13.5t", "3.13.15", "3.14.8", "3.15.0"));

TEST_P(LocalsReaderTest, ReadsSlotsAndCells) {
  const ObjectPtr cell = New("cell", offsets_.pyobject.size + kWordSize);
  memory_.Write<uint64_t>(cell.address() + CellRefField(offsets_), Int({5}).address());
  SetSlot(0, Tagged(Int({3})));
  SetSlot(1, Tagged(cell));
  const auto variables = locals_.Read(frame_, code_, true);
  ASSERT_TRUE(variables.ok()) << variables.status();
  ASSERT_EQ(variables->size(), 2u);
  EXPECT_EQ((*variables)[0].name, "a");
  EXPECT_EQ((*variables)[0].type, "int");
  EXPECT_EQ((*variables)[0].value, "3");
  EXPECT_EQ((*variables)[1].name, "b");
  EXPECT_EQ((*variables)[1].value, "5");
}

TEST_P(LocalsReaderTest, LeavesOutWhatHasNoValue) {
  const ObjectPtr empty_cell = New("cell", offsets_.pyobject.size + kWordSize);
  SetSlot(0, offsets_.minor() >= 14 ? 1 : 0);  // PyStackRef_NULL
  SetSlot(1, Tagged(empty_cell));
  const auto variables = locals_.Read(frame_, code_, true);
  ASSERT_TRUE(variables.ok()) << variables.status();
  EXPECT_TRUE(variables->empty());
}

TEST_P(LocalsReaderTest, ReadsNoValuesUnlessAsked) {
  SetSlot(0, Tagged(Int({3})));
  const auto variables = locals_.Read(frame_, code_, false);
  ASSERT_TRUE(variables.ok()) << variables.status();
  ASSERT_EQ(variables->size(), 1u);
  EXPECT_EQ((*variables)[0].type, "int");
  EXPECT_EQ((*variables)[0].value, "");
}

TEST_P(LocalsReaderTest, DropsAFrameThatWasLeft) {
  memory_.Write<uint64_t>(frame_.address + offsets_.interpreter_frame.executable, 0);
  EXPECT_TRUE(absl::IsDataLoss(locals_.Read(frame_, code_, true).status()));
}

TEST_P(LocalsReaderTest, DoesNotTrustTheNumberOfVariables) {
  for (const uint64_t count : {uint64_t{1}, uint64_t{3}, uint64_t{33}, ~uint64_t{0}}) {
    memory_.Write<uint64_t>(names_ + offsets_.tuple_object.ob_size, count);
    ++code_.serial;
    EXPECT_TRUE(absl::IsDataLoss(locals_.Read(frame_, code_, true).status())) << count;
  }
}

// Each word of what is read takes values that mean something elsewhere: no crash, no hang.
TEST_P(LocalsReaderTest, SurvivesCorruptWords) {
  const ObjectPtr list = List({Int({1}), Str(U"text")}, 2);
  SetSlot(0, Tagged(list));
  SetSlot(1, Tagged(New("cell", offsets_.pyobject.size + kWordSize)));
  const uint64_t interesting[] = {
      0, 1, 3, list.address(), code_.address, names_, ~uint64_t{0}, uint64_t{1} << 40};
  std::mt19937 random(4);
  const auto pick = [&](size_t count) { return random() % count; };
  for (int i = 0; i < 2000; ++i) {
    const uint64_t bases[] = {code_.address, names_, frame_.address, list.address()};
    const uint64_t sizes[] = {offsets_.code_object.size, offsets_.tuple_object.ob_item + 16,
                              offsets_.interpreter_frame.localsplus + 16,
                              offsets_.list_object.size};
    const size_t which = pick(4);
    const uint64_t address = bases[which] + pick(sizes[which] / kWordSize) * kWordSize;
    const auto before = memory_.ReadValue<uint64_t>(address);
    ASSERT_TRUE(before.ok());
    memory_.Write<uint64_t>(address, interesting[pick(std::size(interesting))]);
    ++code_.serial;
    const auto variables = locals_.Read(frame_, code_, true);
    if (variables.ok()) {
      EXPECT_LE(variables->size(), 2u);
    }
    memory_.Write<uint64_t>(address, *before);
  }
}

}  // namespace
}  // namespace fthreadprof
