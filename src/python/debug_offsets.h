// DebugOffsets is CPython's `_Py_DebugOffsets`, the table at the start of `_PyRuntime` that says
// where a build keeps what a profiler reads, together with what the table leaves out but a minor
// version fixes (tag bits, co_version, ...).
//
// Source: Include/internal/pycore_runtime.h (3.13), pycore_debug_offsets.h (3.14, 3.15); the three
// layouts differ, `version` chooses. What is not in the table comes from the headers named at each
// field, and tests/headers/ proves it against structs compiled from them.
//
// Lifetime: a plain value. Everything in it has been validated: each field offset lies inside its
// struct and each size under a bound, so that `address + offset` reads stay small.
#ifndef FTHREADPROF_PYTHON_DEBUG_OFFSETS_H_
#define FTHREADPROF_PYTHON_DEBUG_OFFSETS_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace fthreadprof {

// What the table begins with: _Py_Debug_Cookie.
inline constexpr std::string_view kDebugCookie = "xdebugpy";

struct DebugOffsets {
  uint32_t version_hex = 0;  // PY_VERSION_HEX, 0x030d05f0
  bool free_threaded = false;

  int major() const { return static_cast<int>(version_hex >> 24); }
  int minor() const { return static_cast<int>(version_hex >> 16 & 0xff); }
  std::string VersionString() const;  // "3.13.5", "3.15.0b1"

  // All are byte offsets from the start of the struct, `size` is the struct's size in bytes. A
  // field that the version lacks is kAbsent.
  static constexpr uint64_t kAbsent = ~uint64_t{0};

  struct RuntimeState {
    uint64_t size, finalizing, interpreters_head;
  } runtime_state;
  struct InterpreterState {
    uint64_t size, id, next, threads_head, threads_main, gc, imports_modules, sysdict, builtins,
        ceval_gil;
    // Inside struct _gil_runtime_state, which *ceval_gil points at and kMaxGilSize bounds.
    uint64_t gil_enabled;  // free-threaded builds only
    uint64_t gil_locked, gil_last_holder;
    uint64_t gil_switch_number;  // unsigned long: hand-offs so far; pycore_gil.h
    uint64_t code_object_generation, tlbc_generation;
  } interpreter_state;
  struct ThreadState {
    uint64_t size, prev, next, interp, current_frame, base_frame, thread_id, native_thread_id,
        datastack_chunk, status;
    uint64_t state;  // int: 0 detached, 1 attached, 2 suspended, 3 shutting down; cpython/pystate.h
    uint64_t critical_section;  // tagged pointer; cpython/pystate.h
  } thread_state;
  struct InterpreterFrame {
    uint64_t size, previous, executable, instr_ptr, localsplus, owner, stackpointer, tlbc_index;
    uint64_t
        stacktop;  // 3.13 only: int, -1 while the frame runs, 0 once it was cleared; pycore_frame.h
  } interpreter_frame;
  struct CodeObject {
    uint64_t size, filename, name, qualname, linetable, firstlineno, localsplusnames,
        localspluskinds, co_code_adaptive, co_tlbc;
    uint64_t framesize;  // int, words; cpython/code.h
    uint64_t nlocalsplus;     // int: slots of a frame before its evaluation stack; cpython/code.h
    uint64_t exceptiontable;  // bytes object; cpython/code.h
    uint64_t version;    // uint32, unique per code object until it overflows; cpython/code.h
  } code_object;
  struct PyObject {
    uint64_t size, ob_type;
  } pyobject;
  struct TypeObject {
    uint64_t size, tp_name, tp_flags;
    uint64_t tp_basicsize;    // cpython/object.h
    uint64_t ht_cached_keys;  // of PyHeapTypeObject; cpython/object.h
  } type_object;
  struct TupleObject {
    uint64_t size, ob_item, ob_size;
  } tuple_object;
  struct ListObject {
    uint64_t size, ob_item, ob_size;  // ob_item points at the items
  } list_object;
  struct DictObject {
    uint64_t size, ma_keys, ma_values;
  } dict_object;
  struct FloatObject {
    uint64_t size, ob_fval;
  } float_object;
  struct LongObject {
    uint64_t size, lv_tag, ob_digit;
  } long_object;
  struct BytesObject {
    uint64_t size, ob_size, ob_sval;
  } bytes_object;
  struct UnicodeObject {
    uint64_t size, state, length, asciiobject_size;
  } unicode_object;
  struct Gc {
    uint64_t size, collecting;
  } gc;
  struct GenObject {
    uint64_t size, gi_name, gi_iframe, gi_frame_state;
  } gen_object;

  // Parses and validates the table in `bytes`, which start at _PyRuntime and may be longer than the
  // table (kMaxTableSize is enough). Fails with kInvalidArgument when there is no such table
  // or it contradicts itself, kUnimplemented for a version that is not supported; the message is
  // one plain sentence.
  static absl::StatusOr<DebugOffsets> Parse(std::span<const uint8_t> bytes);
  static constexpr size_t kMaxTableSize = 1024;
  // Of struct _gil_runtime_state: under 200 bytes in 3.13 to 3.15 (pycore_gil.h).
  static constexpr uint64_t kMaxGilSize = 256;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_DEBUG_OFFSETS_H_
