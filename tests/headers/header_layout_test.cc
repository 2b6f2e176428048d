// Compares what the readers know of CPython's layout with CPython's own headers: every field of
// DebugOffsets, and every constant of object_layout.h. layout.c, compiled once for each set of
// headers that was found, prints what they say.
#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "python/debug_offsets.h"
#include "python/object_layout.h"
#include "unit/python/test_offsets.h"

namespace fthreadprof {
namespace {

struct HeaderFacts {
  std::vector<uint8_t> table;  // empty for 3.13, whose headers cannot be made to give it
  std::map<std::string, uint64_t> values;
};

HeaderFacts RunLayout(const std::string& program) {
  HeaderFacts facts;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(program.c_str(), "r"), pclose);
  std::string text;
  std::array<char, 4096> buffer;
  for (size_t size; (size = fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;) {
    text.append(buffer.data(), size);
  }
  std::istringstream lines(text);
  for (std::string name, value; lines >> name >> value;) {
    if (name != "table") {
      facts.values[name] = std::stoull(value);
      continue;
    }
    for (size_t i = 0; i + 1 < value.size(); i += 2) {
      facts.table.push_back(static_cast<uint8_t>(std::stoul(value.substr(i, 2), nullptr, 16)));
    }
  }
  return facts;
}

std::map<std::string, uint64_t> FieldsOf(const DebugOffsets& o) {
#define FIELD(path) {#path, o.path}
  return {
      FIELD(runtime_state.size),
      FIELD(runtime_state.finalizing),
      FIELD(runtime_state.interpreters_head),
      FIELD(interpreter_state.size),
      FIELD(interpreter_state.id),
      FIELD(interpreter_state.next),
      FIELD(interpreter_state.threads_head),
      FIELD(interpreter_state.threads_main),
      FIELD(interpreter_state.gc),
      FIELD(interpreter_state.imports_modules),
      FIELD(interpreter_state.sysdict),
      FIELD(interpreter_state.builtins),
      FIELD(interpreter_state.ceval_gil),
      FIELD(interpreter_state.gil_enabled),
      FIELD(interpreter_state.gil_locked),
      FIELD(interpreter_state.gil_last_holder),
      FIELD(interpreter_state.gil_switch_number),
      FIELD(interpreter_state.code_object_generation),
      FIELD(interpreter_state.tlbc_generation),
      FIELD(thread_state.size),
      FIELD(thread_state.prev),
      FIELD(thread_state.next),
      FIELD(thread_state.interp),
      FIELD(thread_state.current_frame),
      FIELD(thread_state.base_frame),
      FIELD(thread_state.thread_id),
      FIELD(thread_state.native_thread_id),
      FIELD(thread_state.datastack_chunk),
      FIELD(thread_state.status),
      FIELD(thread_state.state),
      FIELD(thread_state.critical_section),
      FIELD(interpreter_frame.size),
      FIELD(interpreter_frame.previous),
      FIELD(interpreter_frame.executable),
      FIELD(interpreter_frame.instr_ptr),
      FIELD(interpreter_frame.localsplus),
      FIELD(interpreter_frame.owner),
      FIELD(interpreter_frame.stackpointer),
      FIELD(interpreter_frame.tlbc_index),
      FIELD(interpreter_frame.stacktop),
      FIELD(code_object.size),
      FIELD(code_object.filename),
      FIELD(code_object.name),
      FIELD(code_object.qualname),
      FIELD(code_object.linetable),
      FIELD(code_object.firstlineno),
      FIELD(code_object.localsplusnames),
      FIELD(code_object.localspluskinds),
      FIELD(code_object.co_code_adaptive),
      FIELD(code_object.co_tlbc),
      FIELD(code_object.framesize),
      FIELD(code_object.nlocalsplus),
      FIELD(code_object.exceptiontable),
      FIELD(code_object.version),
      FIELD(pyobject.size),
      FIELD(pyobject.ob_type),
      FIELD(type_object.size),
      FIELD(type_object.tp_name),
      FIELD(type_object.tp_flags),
      FIELD(type_object.tp_basicsize),
      FIELD(type_object.ht_cached_keys),
      FIELD(tuple_object.size),
      FIELD(tuple_object.ob_item),
      FIELD(tuple_object.ob_size),
      FIELD(list_object.size),
      FIELD(list_object.ob_item),
      FIELD(list_object.ob_size),
      FIELD(float_object.size),
      FIELD(float_object.ob_fval),
      FIELD(dict_object.size),
      FIELD(dict_object.ma_keys),
      FIELD(dict_object.ma_values),
      FIELD(long_object.size),
      FIELD(long_object.lv_tag),
      FIELD(long_object.ob_digit),
      FIELD(bytes_object.size),
      FIELD(bytes_object.ob_size),
      FIELD(bytes_object.ob_sval),
      FIELD(unicode_object.size),
      FIELD(unicode_object.state),
      FIELD(unicode_object.length),
      FIELD(unicode_object.asciiobject_size),
      FIELD(gc.size),
      FIELD(gc.collecting),
      FIELD(gen_object.size),
      FIELD(gen_object.gi_name),
      FIELD(gen_object.gi_iframe),
      FIELD(gen_object.gi_frame_state),
  };
#undef FIELD
}

class HeaderLayout : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(facts_.values.contains("version")) << GetParam() << " printed nothing";
    if (facts_.table.empty()) {
      // A patch release does not change the layout: any captured table of the same build will do.
      offsets_ = CapturedOffsets(facts_.values["free_threaded"] != 0 ? "3.13.5t" : "3.13.15");
      ASSERT_EQ(facts_.values["version"] >> 16, offsets_.version_hex >> 16);
    } else {
      auto parsed = DebugOffsets::Parse(facts_.table);
      ASSERT_TRUE(parsed.ok()) << parsed.status();
      offsets_ = *parsed;
    }
  }

  HeaderFacts facts_ = RunLayout(GetParam());
  DebugOffsets offsets_;
};
constexpr const char* kPrograms[] = {FTHREADPROF_LAYOUT_PROGRAMS};
INSTANTIATE_TEST_SUITE_P(Programs, HeaderLayout, testing::ValuesIn(kPrograms));

TEST_P(HeaderLayout, HasEveryFieldOfDebugOffsets) {
  for (const auto& [name, offset] : FieldsOf(offsets_)) {
    const auto fact = facts_.values.find(name);
    if (fact == facts_.values.end()) {
      EXPECT_EQ(offset, DebugOffsets::kAbsent) << name << " is not in this version";
    } else {
      EXPECT_EQ(offset, fact->second) << name;
    }
  }
}

TEST_P(HeaderLayout, HasTheConstantsOfObjectLayout) {
  const std::map<std::string, uint64_t> expected = {
      {"flags.inline_values", TypeFlags::kInlineValues},
      {"flags.managed_dict", TypeFlags::kManagedDict},
      {"flags.heap_type", TypeFlags::kHeapType},
      {"flags.long", TypeFlags::kLongSubclass},
      {"flags.bytes", TypeFlags::kBytesSubclass},
      {"flags.unicode", TypeFlags::kUnicodeSubclass},
      {"flags.dict", TypeFlags::kDictSubclass},
      {"unicode.data", UnicodeDataField(offsets_)},
      {"unicode.compact_size", UnicodeDataField(offsets_)},
      {"long.non_size_bits", LongTag::kNonSizeBits},
      {"long.sign_mask", LongTag::kSignMask},
      {"long.negative", LongTag::kNegative},
      {"long.digit_bits", LongTag::kDigitBits},
      {"long.digit_size", 4},
      {"keys.log2_size", DictKeys::kLog2Size},
      {"keys.log2_index_bytes", DictKeys::kLog2IndexBytes},
      {"keys.kind", DictKeys::kKind},
      {"keys.entry_count", DictKeys::kEntryCount},
      {"keys.header_size", DictKeys::kHeaderSize},
      {"keys.general", DictKeys::kGeneral},
      {"keys.unicode", DictKeys::kUnicode},
      {"keys.split", DictKeys::kSplit},
      {"keys.general_entry_size", DictKeys::kGeneralEntrySize},
      {"keys.general_entry_key", kWordSize},
      {"keys.general_entry_value", 2 * kWordSize},
      {"keys.unicode_entry_size", DictKeys::kUnicodeEntrySize},
      {"keys.unicode_entry_value", kWordSize},
      {"values.capacity", DictValues::kCapacity},
      {"values.size", DictValues::kSize},
      {"values.valid", DictValues::kValid},
      {"values.header_size", DictValues::kHeaderSize},
      {"managed_dict.distance", ManagedDictDistance(offsets_)},
      {"module.dict", ModuleDictField(offsets_)},
      {"cell.ref", CellRefField(offsets_)},
      {"function.self", BoundSelfField(offsets_)},
      {"method.self", BoundSelfField(offsets_)},
      {"kinds.cell", LocalKind::kCell},
      {"kinds.free", LocalKind::kFree},
  };
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(facts_.values.contains(name)) << name;
    EXPECT_EQ(facts_.values[name], value) << name;
  }
}

TEST_P(HeaderLayout, HasWhatModulesDeclare) {
  if (!offsets_.free_threaded) {
    EXPECT_FALSE(facts_.values.contains("module.gil")) << "the declaration is of no interest there";
    return;
  }
  const ModuleLayout layout = ModuleLayout::Of(offsets_);
  EXPECT_EQ(facts_.values["module.definition"], layout.definition);
  EXPECT_EQ(facts_.values["module.gil"], layout.gil);
  EXPECT_EQ(facts_.values["module.gil_size"], offsets_.minor() < 15 ? 8u : 1u);
  if (offsets_.minor() < 15) {
    EXPECT_EQ(facts_.values["module.gil_not_used"], 1u);
  }
}

TEST_P(HeaderLayout, HasCriticalSections) {
  if (!offsets_.free_threaded) return;
  const std::map<std::string, uint64_t> expected = {
      {"object.mutex", kObjectMutexField},
      {"critical_section.inactive", CriticalSection::kInactive},
      {"critical_section.two_mutexes", CriticalSection::kTwoMutexes},
      {"critical_section.mask", CriticalSection::kTagMask},
      {"critical_section.previous", CriticalSection::kPrevious},
      {"critical_section.mutex", CriticalSection::kMutex},
      {"critical_section.mutex2", CriticalSection::kMutex2},
      {"critical_section.size", CriticalSection::kSize},
  };
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(facts_.values.contains(name)) << name;
    EXPECT_EQ(facts_.values[name], value) << name;
  }
}

TEST_P(HeaderLayout, HasTheBitsOfUnicodeState) {
  auto decode = [&](const char* name) {
    EXPECT_TRUE(facts_.values.contains(name));
    return UnicodeState::Decode(static_cast<uint32_t>(facts_.values[name]), offsets_);
  };
  for (const auto& [name, kind] : std::map<const char*, uint32_t>{{"unicode_state.kind1", 1},
                                                                  {"unicode_state.kind2", 2},
                                                                  {"unicode_state.kind4", 4},
                                                                  {"unicode_state.interned", 0}}) {
    const UnicodeState state = decode(name);
    EXPECT_EQ(state.kind, kind) << name;
    EXPECT_FALSE(state.compact || state.ascii) << name;
  }
  EXPECT_TRUE(decode("unicode_state.compact").compact);
  EXPECT_FALSE(decode("unicode_state.compact").ascii);
  EXPECT_TRUE(decode("unicode_state.ascii").ascii);
  EXPECT_FALSE(decode("unicode_state.ascii").compact);
}

// What frame_layout.cc, stack_copy.cc, code_object_cache.cc and ThreadState rely on.
TEST_P(HeaderLayout, HasTheConstantsOfFramesAndThreads) {
  std::map<std::string, uint64_t> expected = {
      {"chunk.previous", 0},     {"chunk.size", 8},       {"chunk.top", 16},
      {"chunk.data", 24},        {"state.detached", 0},   {"state.attached", 1},
      {"state.suspended", 2},    {"owner.thread", 0},     {"owner.generator", 1},
      {"owner.frame_object", 2}, {"owner.interpreter", 3}};
  if (offsets_.minor() >= 14) {
    expected["reference.null"] = 1;
    expected["reference.tagged_int"] = 3;
    expected["reference.tag_bits"] = offsets_.minor() == 14 && offsets_.free_threaded ? 1 : 3;
    if (offsets_.free_threaded) {
      expected["code_array.size"] = 0;
      expected["code_array.entries"] = 8;
    }
  }
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(facts_.values.contains(name)) << name;
    EXPECT_EQ(facts_.values[name], value) << name;
  }
}

}  // namespace
}  // namespace fthreadprof
