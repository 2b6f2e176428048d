// The columns of CPython's table of debug offsets, in their order, for debug_offsets.cc alone:
// which field of DebugOffsets each fills, what it measures, and the minor version that added it.
//
// Source: struct _Py_DebugOffsets in pycore_runtime.h (3.13) and pycore_debug_offsets.h
// (3.14, 3.15).
#ifndef FTHREADPROF_PYTHON_DEBUG_OFFSETS_TABLE_H_
#define FTHREADPROF_PYTHON_DEBUG_OFFSETS_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "python/debug_offsets.h"

namespace fthreadprof {

inline constexpr uint64_t kKiB = 1024;
// What Parse fills in: the offsets and the one number that is only needed to work them out.
struct Parsed {
  DebugOffsets offsets;
  uint64_t gil_runtime_state;
};
static_assert(std::is_trivially_copyable_v<Parsed>);

enum class Kind {
  kSize,     // the struct's own size
  kPointer,  // 8 bytes
  kInt,      // 4 bytes
  kByte,     // 1 byte
  kInline,   // a struct or an array that begins here: 8-aligned, at most at the end
  kBytes,    // as kInline, but of bytes
  kNested,   // the size of the first part of the struct
  kInGil,    // a field of the interpreter's inline _gil, as an offset from the interpreter
  kOfGil,    // an int's offset from the gil struct itself
  kUnused,   // not read here
};

inline constexpr size_t kNoSlot = ~size_t{0};

// One 8-byte column of the table: which field of Parsed it fills.
struct Column {
  const char* name;
  Kind kind = Kind::kUnused;
  size_t slot = kNoSlot;
  bool free_threaded_only = false;  // 0 in a GIL build, which has no such field
};

#define FTP_SLOT(path) offsetof(Parsed, offsets.path)
#define FTP_FIELD(group, kind, field) \
  Column { #field, Kind::kind, FTP_SLOT(group.field) }
#define FTP_FREE_THREADED_FIELD(group, kind, field) \
  Column { #field, Kind::kind, FTP_SLOT(group.field), true }
#define FTP_UNUSED(field) \
  Column { #field }

inline constexpr auto kRuntimeState = std::to_array<Column>({
    FTP_FIELD(runtime_state, kSize, size),
    FTP_FIELD(runtime_state, kPointer, finalizing),
    FTP_FIELD(runtime_state, kPointer, interpreters_head),
});

inline constexpr auto kInterpreterStateStart = std::to_array<Column>({
    FTP_FIELD(interpreter_state, kSize, size),
    FTP_FIELD(interpreter_state, kPointer, id),
    FTP_FIELD(interpreter_state, kPointer, next),
    FTP_FIELD(interpreter_state, kPointer, threads_head),
});
inline constexpr auto kThreadsMain = std::to_array<Column>({
    FTP_FIELD(interpreter_state, kPointer, threads_main),
});
inline constexpr auto kInterpreterStateEnd = std::to_array<Column>({
    FTP_FIELD(interpreter_state, kPointer, gc),
    FTP_FIELD(interpreter_state, kPointer, imports_modules),
    FTP_FIELD(interpreter_state, kPointer, sysdict),
    FTP_FIELD(interpreter_state, kPointer, builtins),
    FTP_FIELD(interpreter_state, kPointer, ceval_gil),
    {"gil_runtime_state", Kind::kInline, offsetof(Parsed, gil_runtime_state)},
    {"gil_runtime_state_enabled", Kind::kOfGil, FTP_SLOT(interpreter_state.gil_enabled), true},
    {"gil_runtime_state_locked", Kind::kInGil, FTP_SLOT(interpreter_state.gil_locked)},
    {"gil_runtime_state_holder", Kind::kInGil, FTP_SLOT(interpreter_state.gil_last_holder)},
});
inline constexpr auto kGenerations = std::to_array<Column>({
    FTP_FIELD(interpreter_state, kPointer, code_object_generation),
    FTP_FREE_THREADED_FIELD(interpreter_state, kInt, tlbc_generation),
});

inline constexpr auto kThreadStateStart = std::to_array<Column>({
    FTP_FIELD(thread_state, kSize, size),
    FTP_FIELD(thread_state, kPointer, prev),
    FTP_FIELD(thread_state, kPointer, next),
    FTP_FIELD(thread_state, kPointer, interp),
    FTP_FIELD(thread_state, kPointer, current_frame),
});
inline constexpr auto kBaseFrame = std::to_array<Column>({
    FTP_FIELD(thread_state, kPointer, base_frame),
    FTP_UNUSED(last_profiled_frame),
    FTP_UNUSED(last_profiled_frame_seq),
});
inline constexpr auto kThreadStateEnd = std::to_array<Column>({
    FTP_FIELD(thread_state, kPointer, thread_id),
    FTP_FIELD(thread_state, kPointer, native_thread_id),
    FTP_FIELD(thread_state, kPointer, datastack_chunk),
    FTP_FIELD(thread_state, kInt, status),
});
inline constexpr auto kThreadStateGil = std::to_array<Column>({
    FTP_UNUSED(holds_gil), FTP_UNUSED(gil_requested), FTP_UNUSED(current_exception),
    FTP_UNUSED(exc_state),
    FTP_UNUSED(exc_value),  // of struct err_stackitem
});

inline constexpr auto kInterpreterFrame = std::to_array<Column>({
    FTP_FIELD(interpreter_frame, kSize, size),
    FTP_FIELD(interpreter_frame, kPointer, previous),
    FTP_FIELD(interpreter_frame, kPointer, executable),
    FTP_FIELD(interpreter_frame, kPointer, instr_ptr),
    FTP_FIELD(interpreter_frame, kInline, localsplus),
    FTP_FIELD(interpreter_frame, kByte, owner),
});
inline constexpr auto kInterpreterFrame314 = std::to_array<Column>({
    FTP_FIELD(interpreter_frame, kPointer, stackpointer),
    FTP_FREE_THREADED_FIELD(interpreter_frame, kInt, tlbc_index),
});

inline constexpr auto kCodeObject = std::to_array<Column>({
    FTP_FIELD(code_object, kSize, size),
    FTP_FIELD(code_object, kPointer, filename),
    FTP_FIELD(code_object, kPointer, name),
    FTP_FIELD(code_object, kPointer, qualname),
    FTP_FIELD(code_object, kPointer, linetable),
    FTP_FIELD(code_object, kInt, firstlineno),
    FTP_UNUSED(argcount),
    FTP_FIELD(code_object, kPointer, localsplusnames),
    FTP_FIELD(code_object, kPointer, localspluskinds),
    FTP_FIELD(code_object, kInline, co_code_adaptive),
});
inline constexpr auto kCodeObject314 = std::to_array<Column>({
    FTP_FREE_THREADED_FIELD(code_object, kPointer, co_tlbc),
});

// struct _pyobject is a group without `head`: its own size says how long the head is.
inline constexpr auto kPyObject = std::to_array<Column>({
    FTP_FIELD(pyobject, kSize, size),
    FTP_FIELD(pyobject, kPointer, ob_type),
});

inline constexpr auto kTypeObject = std::to_array<Column>({
    FTP_FIELD(type_object, kSize, size),
    FTP_FIELD(type_object, kPointer, tp_name),
    FTP_UNUSED(tp_repr),
    FTP_FIELD(type_object, kPointer, tp_flags),
});
inline constexpr auto kTypeObject315 = std::to_array<Column>({
    FTP_FIELD(type_object, kPointer, tp_basicsize),
    FTP_UNUSED(tp_dictoffset),
    FTP_UNUSED(heap_type_object.size),
    // Lies past PyTypeObject, in PyHeapTypeObject: checked together with the fields that are
    // derived.
    {"ht_cached_keys", Kind::kUnused, FTP_SLOT(type_object.ht_cached_keys)},
});

inline constexpr auto kTupleObject = std::to_array<Column>({
    FTP_FIELD(tuple_object, kSize, size),
    FTP_FIELD(tuple_object, kInline, ob_item),
    FTP_FIELD(tuple_object, kPointer, ob_size),
});
inline constexpr auto kListObject = std::to_array<Column>({
    FTP_FIELD(list_object, kSize, size),
    FTP_FIELD(list_object, kPointer, ob_item),
    FTP_FIELD(list_object, kPointer, ob_size),
});
inline constexpr auto kSetObject = std::to_array<Column>({
    FTP_UNUSED(size),
    FTP_UNUSED(used),
    FTP_UNUSED(table),
    FTP_UNUSED(mask),
});
inline constexpr auto kDictObject = std::to_array<Column>({
    FTP_FIELD(dict_object, kSize, size),
    FTP_FIELD(dict_object, kPointer, ma_keys),
    FTP_FIELD(dict_object, kPointer, ma_values),
});
inline constexpr auto kFloatObject = std::to_array<Column>({
    FTP_FIELD(float_object, kSize, size),
    FTP_FIELD(float_object, kPointer, ob_fval),
});
inline constexpr auto kLongObject = std::to_array<Column>({
    FTP_FIELD(long_object, kSize, size),
    FTP_FIELD(long_object, kPointer, lv_tag),
    FTP_FIELD(long_object, kInt, ob_digit),
});
inline constexpr auto kBytesObject = std::to_array<Column>({
    FTP_FIELD(bytes_object, kSize, size),
    FTP_FIELD(bytes_object, kPointer, ob_size),
    FTP_FIELD(bytes_object, kBytes, ob_sval),
});
inline constexpr auto kUnicodeObject = std::to_array<Column>({
    FTP_FIELD(unicode_object, kSize, size),
    FTP_FIELD(unicode_object, kInt, state),
    FTP_FIELD(unicode_object, kPointer, length),
    FTP_FIELD(unicode_object, kNested, asciiobject_size),
});
inline constexpr auto kCompactUnicode =
    std::to_array<Column>({FTP_UNUSED(compactunicodeobject_size)});
inline constexpr auto kGc = std::to_array<Column>({
    FTP_FIELD(gc, kSize, size),
    FTP_FIELD(gc, kInt, collecting),
});
inline constexpr auto kGc315 = std::to_array<Column>({
    FTP_UNUSED(frame),
    FTP_UNUSED(generation_stats_size),
    FTP_UNUSED(generation_stats),
});
// What 3.14 and later have behind it (struct _llist_node, struct _debugger_support) is not read.
inline constexpr auto kGenObject = std::to_array<Column>({
    FTP_FIELD(gen_object, kSize, size),
    FTP_FIELD(gen_object, kPointer, gi_name),
    FTP_FIELD(gen_object, kInline, gi_iframe),
    FTP_FIELD(gen_object, kByte, gi_frame_state),
});

#undef FTP_SLOT
#undef FTP_FIELD
#undef FTP_FREE_THREADED_FIELD
#undef FTP_UNUSED

// `minor` is the first version that has these columns of the group that `group` names.
struct Part {
  int minor;
  const char* group;
  uint64_t max_size;
  bool head;
  std::span<const Column> columns;
};

// The table in its order. A part that continues the group before it has the group's name.
inline constexpr auto kTable = std::to_array<Part>({
    {13, "runtime_state", 16 * kKiB* kKiB, false, kRuntimeState},
    {13, "interpreter_state", 16 * kKiB* kKiB, false, kInterpreterStateStart},
    {14, "interpreter_state", 16 * kKiB* kKiB, false, kThreadsMain},
    {13, "interpreter_state", 16 * kKiB* kKiB, false, kInterpreterStateEnd},
    {14, "interpreter_state", 16 * kKiB* kKiB, false, kGenerations},
    {13, "thread_state", 64 * kKiB, false, kThreadStateStart},
    {15, "thread_state", 64 * kKiB, false, kBaseFrame},
    {13, "thread_state", 64 * kKiB, false, kThreadStateEnd},
    {15, "thread_state", 64 * kKiB, false, kThreadStateGil},
    {13, "interpreter_frame", 4 * kKiB, false, kInterpreterFrame},
    {14, "interpreter_frame", 4 * kKiB, false, kInterpreterFrame314},
    {13, "code_object", 4 * kKiB, true, kCodeObject},
    {14, "code_object", 4 * kKiB, true, kCodeObject314},
    {13, "pyobject", 256, false, kPyObject},
    {13, "type_object", 4 * kKiB, true, kTypeObject},
    {15, "type_object", 4 * kKiB, true, kTypeObject315},
    {13, "tuple_object", 256, true, kTupleObject},
    {13, "list_object", 256, true, kListObject},
    {14, "set_object", 4 * kKiB, true, kSetObject},
    {13, "dict_object", 256, true, kDictObject},
    {13, "float_object", 256, true, kFloatObject},
    {13, "long_object", 256, true, kLongObject},
    {13, "bytes_object", 256, true, kBytesObject},
    {13, "unicode_object", 256, true, kUnicodeObject},
    {15, "unicode_object", 256, true, kCompactUnicode},
    {13, "gc", 1024 * kKiB, false, kGc},
    {15, "gc", 1024 * kKiB, false, kGc315},
    {14, "gen_object", 4 * kKiB, true, kGenObject},
});

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_DEBUG_OFFSETS_TABLE_H_
