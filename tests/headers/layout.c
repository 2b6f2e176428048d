// Prints CPython's layout as CPython's own headers give it, compiled for one version and build: the
// table of debug offsets (3.14 and later), then "name value" lines. header_layout_test.cc compares
// them with DebugOffsets and with object_layout.h. Nothing of CPython is linked.
#define Py_BUILD_CORE 1
#include <Python.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "internal/pycore_code.h"
#include "internal/pycore_critical_section.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_long.h"
#include "internal/pycore_moduleobject.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_runtime.h"
#if PY_VERSION_HEX >= 0x030e0000
#include "internal/pycore_debug_offsets.h"
#include "internal/pycore_genobject.h"
#include "internal/pycore_interpframe.h"
#include "internal/pycore_interpframe_structs.h"
#include "internal/pycore_stackref.h"

static const _Py_DebugOffsets table = _Py_DebugOffsets_INIT(_Py_Debug_Cookie);
#endif

static void Print(const char* name, unsigned long long value) { printf("%s %llu\n", name, value); }

#define SIZE(group, type) Print(#group ".size", sizeof(type))
#define FIELD(name, type, member) Print(#name, offsetof(type, member))

static void PrintTable(void) {
#if PY_VERSION_HEX >= 0x030e0000
  const unsigned char* bytes = (const unsigned char*)&table;
  printf("table ");
  for (size_t i = 0; i < sizeof table; ++i) printf("%02x", bytes[i]);
  printf("\n");
#endif
}

static void PrintStates(void) {
  SIZE(runtime_state, _PyRuntimeState);
  FIELD(runtime_state.finalizing, _PyRuntimeState, _finalizing);
  FIELD(runtime_state.interpreters_head, _PyRuntimeState, interpreters.head);
  SIZE(interpreter_state, PyInterpreterState);
  FIELD(interpreter_state.id, PyInterpreterState, id);
  FIELD(interpreter_state.next, PyInterpreterState, next);
  FIELD(interpreter_state.threads_head, PyInterpreterState, threads.head);
  FIELD(interpreter_state.gc, PyInterpreterState, gc);
  FIELD(interpreter_state.imports_modules, PyInterpreterState, imports.modules);
  FIELD(interpreter_state.sysdict, PyInterpreterState, sysdict);
  FIELD(interpreter_state.builtins, PyInterpreterState, builtins);
  FIELD(interpreter_state.ceval_gil, PyInterpreterState, ceval.gil);
  FIELD(interpreter_state.gil_locked, struct _gil_runtime_state, locked);
  FIELD(interpreter_state.gil_last_holder, struct _gil_runtime_state, last_holder);
  FIELD(interpreter_state.gil_switch_number, struct _gil_runtime_state, switch_number);
#ifdef Py_GIL_DISABLED
  FIELD(interpreter_state.gil_enabled, struct _gil_runtime_state, enabled);
#endif
  SIZE(thread_state, PyThreadState);
  FIELD(thread_state.prev, PyThreadState, prev);
  FIELD(thread_state.next, PyThreadState, next);
  FIELD(thread_state.interp, PyThreadState, interp);
  FIELD(thread_state.current_frame, PyThreadState, current_frame);
  FIELD(thread_state.thread_id, PyThreadState, thread_id);
  FIELD(thread_state.native_thread_id, PyThreadState, native_thread_id);
  FIELD(thread_state.datastack_chunk, PyThreadState, datastack_chunk);
  FIELD(thread_state.status, PyThreadState, _status);
  FIELD(thread_state.state, PyThreadState, state);
  FIELD(thread_state.critical_section, PyThreadState, critical_section);
#if PY_VERSION_HEX >= 0x030e0000
  FIELD(interpreter_state.threads_main, PyInterpreterState, threads.main);
  FIELD(interpreter_state.code_object_generation, PyInterpreterState, _code_object_generation);
#ifdef Py_GIL_DISABLED
  FIELD(interpreter_state.tlbc_generation, PyInterpreterState, tlbc_indices.tlbc_generation);
#endif
#endif
#if PY_VERSION_HEX >= 0x030f0000
  FIELD(thread_state.base_frame, PyThreadState, base_frame);
#endif
}

static void PrintFrame(void) {
  SIZE(interpreter_frame, _PyInterpreterFrame);
  FIELD(interpreter_frame.previous, _PyInterpreterFrame, previous);
  FIELD(interpreter_frame.executable, _PyInterpreterFrame, f_executable);
  FIELD(interpreter_frame.instr_ptr, _PyInterpreterFrame, instr_ptr);
  FIELD(interpreter_frame.localsplus, _PyInterpreterFrame, localsplus);
  FIELD(interpreter_frame.owner, _PyInterpreterFrame, owner);
#if PY_VERSION_HEX >= 0x030e0000
  FIELD(interpreter_frame.stackpointer, _PyInterpreterFrame, stackpointer);
#ifdef Py_GIL_DISABLED
  FIELD(interpreter_frame.tlbc_index, _PyInterpreterFrame, tlbc_index);
#endif
#else
  FIELD(interpreter_frame.stacktop, _PyInterpreterFrame, stacktop);
#endif
}

static void PrintCode(void) {
  SIZE(code_object, PyCodeObject);
  FIELD(code_object.filename, PyCodeObject, co_filename);
  FIELD(code_object.name, PyCodeObject, co_name);
  FIELD(code_object.qualname, PyCodeObject, co_qualname);
  FIELD(code_object.linetable, PyCodeObject, co_linetable);
  FIELD(code_object.firstlineno, PyCodeObject, co_firstlineno);
  FIELD(code_object.localsplusnames, PyCodeObject, co_localsplusnames);
  FIELD(code_object.localspluskinds, PyCodeObject, co_localspluskinds);
  FIELD(code_object.co_code_adaptive, PyCodeObject, co_code_adaptive);
  FIELD(code_object.framesize, PyCodeObject, co_framesize);
  FIELD(code_object.nlocalsplus, PyCodeObject, co_nlocalsplus);
  FIELD(code_object.exceptiontable, PyCodeObject, co_exceptiontable);
  FIELD(code_object.version, PyCodeObject, co_version);
#if PY_VERSION_HEX >= 0x030e0000 && defined(Py_GIL_DISABLED)
  FIELD(code_object.co_tlbc, PyCodeObject, co_tlbc);
#endif
}

static void PrintObjects(void) {
  SIZE(pyobject, PyObject);
  FIELD(pyobject.ob_type, PyObject, ob_type);
  SIZE(type_object, PyTypeObject);
  FIELD(type_object.tp_name, PyTypeObject, tp_name);
  FIELD(type_object.tp_flags, PyTypeObject, tp_flags);
  FIELD(type_object.tp_basicsize, PyTypeObject, tp_basicsize);
  FIELD(type_object.ht_cached_keys, PyHeapTypeObject, ht_cached_keys);
  SIZE(tuple_object, PyTupleObject);
  FIELD(tuple_object.ob_item, PyTupleObject, ob_item);
  FIELD(tuple_object.ob_size, PyTupleObject, ob_base.ob_size);
  SIZE(list_object, PyListObject);
  FIELD(list_object.ob_item, PyListObject, ob_item);
  FIELD(list_object.ob_size, PyListObject, ob_base.ob_size);
  SIZE(float_object, PyFloatObject);
  FIELD(float_object.ob_fval, PyFloatObject, ob_fval);
  SIZE(dict_object, PyDictObject);
  FIELD(dict_object.ma_keys, PyDictObject, ma_keys);
  FIELD(dict_object.ma_values, PyDictObject, ma_values);
  SIZE(long_object, PyLongObject);
  FIELD(long_object.lv_tag, PyLongObject, long_value.lv_tag);
  FIELD(long_object.ob_digit, PyLongObject, long_value.ob_digit);
  SIZE(bytes_object, PyBytesObject);
  FIELD(bytes_object.ob_size, PyBytesObject, ob_base.ob_size);
  FIELD(bytes_object.ob_sval, PyBytesObject, ob_sval);
  SIZE(unicode_object, PyUnicodeObject);
  FIELD(unicode_object.state, PyUnicodeObject, _base._base.state);
  FIELD(unicode_object.length, PyUnicodeObject, _base._base.length);
  Print("unicode_object.asciiobject_size", sizeof(PyASCIIObject));
  SIZE(gc, struct _gc_runtime_state);
  FIELD(gc.collecting, struct _gc_runtime_state, collecting);
#if PY_VERSION_HEX >= 0x030e0000
  SIZE(gen_object, PyGenObject);
  FIELD(gen_object.gi_name, PyGenObject, gi_name);
  FIELD(gen_object.gi_iframe, PyGenObject, gi_iframe);
  FIELD(gen_object.gi_frame_state, PyGenObject, gi_frame_state);
#endif
}

// What object_layout.h and the readers of frames know without the table.
static void PrintConstants(void) {
  Print("flags.inline_values", Py_TPFLAGS_INLINE_VALUES);
  Print("flags.managed_dict", Py_TPFLAGS_MANAGED_DICT);
  Print("flags.heap_type", Py_TPFLAGS_HEAPTYPE);
  Print("flags.long", Py_TPFLAGS_LONG_SUBCLASS);
  Print("flags.bytes", Py_TPFLAGS_BYTES_SUBCLASS);
  Print("flags.unicode", Py_TPFLAGS_UNICODE_SUBCLASS);
  Print("flags.dict", Py_TPFLAGS_DICT_SUBCLASS);
  FIELD(unicode.data, PyUnicodeObject, data);
  Print("unicode.compact_size", sizeof(PyCompactUnicodeObject));
  Print("long.non_size_bits", _PyLong_NON_SIZE_BITS);
  Print("long.sign_mask", SIGN_MASK);
  Print("long.negative", SIGN_NEGATIVE);
  Print("long.digit_bits", PyLong_SHIFT);
  Print("long.digit_size", sizeof(digit));
  FIELD(keys.log2_size, PyDictKeysObject, dk_log2_size);
  FIELD(keys.log2_index_bytes, PyDictKeysObject, dk_log2_index_bytes);
  FIELD(keys.kind, PyDictKeysObject, dk_kind);
  FIELD(keys.entry_count, PyDictKeysObject, dk_nentries);
  FIELD(keys.header_size, PyDictKeysObject, dk_indices);
  Print("keys.general", DICT_KEYS_GENERAL);
  Print("keys.unicode", DICT_KEYS_UNICODE);
  Print("keys.split", DICT_KEYS_SPLIT);
  Print("keys.general_entry_size", sizeof(PyDictKeyEntry));
  FIELD(keys.general_entry_key, PyDictKeyEntry, me_key);
  FIELD(keys.general_entry_value, PyDictKeyEntry, me_value);
  Print("keys.unicode_entry_size", sizeof(PyDictUnicodeEntry));
  FIELD(keys.unicode_entry_value, PyDictUnicodeEntry, me_value);
  FIELD(values.capacity, struct _dictvalues, capacity);
  FIELD(values.size, struct _dictvalues, size);
  FIELD(values.valid, struct _dictvalues, valid);
  FIELD(values.header_size, struct _dictvalues, values);
  Print("managed_dict.distance", (unsigned long long)-MANAGED_DICT_OFFSET);
  FIELD(module.dict, PyModuleObject, md_dict);
#ifdef Py_GIL_DISABLED
#if PY_VERSION_HEX >= 0x030f0000
  FIELD(module.definition, PyModuleObject, md_token);
  FIELD(module.gil, PyModuleObject, md_requires_gil);
  Print("module.gil_size", sizeof(((PyModuleObject*)0)->md_requires_gil));
#else
  FIELD(module.definition, PyModuleObject, md_def);
  FIELD(module.gil, PyModuleObject, md_gil);
  Print("module.gil_size", sizeof(((PyModuleObject*)0)->md_gil));
  Print("module.gil_not_used", (unsigned long)Py_MOD_GIL_NOT_USED);
#endif
#endif
  FIELD(cell.ref, PyCellObject, ob_ref);
  FIELD(function.self, PyCFunctionObject, m_self);
  FIELD(method.self, PyMethodObject, im_self);
#ifdef Py_GIL_DISABLED
  FIELD(object.mutex, PyObject, ob_mutex);
  Print("critical_section.inactive", _Py_CRITICAL_SECTION_INACTIVE);
  Print("critical_section.two_mutexes", _Py_CRITICAL_SECTION_TWO_MUTEXES);
  Print("critical_section.mask", _Py_CRITICAL_SECTION_MASK);
  FIELD(critical_section.previous, PyCriticalSection, _cs_prev);
  FIELD(critical_section.mutex, PyCriticalSection, _cs_mutex);
  FIELD(critical_section.mutex2, PyCriticalSection2, _cs_mutex2);
  SIZE(critical_section, PyCriticalSection2);
#endif
  Print("kinds.cell", CO_FAST_CELL);
  Print("kinds.free", CO_FAST_FREE);
  FIELD(chunk.previous, _PyStackChunk, previous);
  FIELD(chunk.size, _PyStackChunk, size);
  FIELD(chunk.top, _PyStackChunk, top);
  FIELD(chunk.data, _PyStackChunk, data);
  Print("state.detached", _Py_THREAD_DETACHED);
  Print("state.attached", _Py_THREAD_ATTACHED);
  Print("state.suspended", _Py_THREAD_SUSPENDED);
  Print("owner.thread", FRAME_OWNED_BY_THREAD);
  Print("owner.generator", FRAME_OWNED_BY_GENERATOR);
  Print("owner.frame_object", FRAME_OWNED_BY_FRAME_OBJECT);
#if PY_VERSION_HEX >= 0x030e0000
  Print("owner.interpreter", FRAME_OWNED_BY_INTERPRETER);
  Print("reference.tag_bits", Py_TAG_BITS);
  Print("reference.null", PyStackRef_NULL.bits);
  Print("reference.tagged_int", Py_INT_TAG);
#ifdef Py_GIL_DISABLED
  FIELD(code_array.size, _PyCodeArray, size);
  FIELD(code_array.entries, _PyCodeArray, entries);
#endif
#else
  Print("owner.interpreter", FRAME_OWNED_BY_CSTACK);
#endif
}

// A bit-field has no offset: set one and look at the word.
#define STATE_BITS(name, member, value)     \
  do {                                      \
    PyASCIIObject str;                      \
    memset(&str, 0, sizeof str);            \
    str.state.member = value;               \
    unsigned int word;                      \
    memcpy(&word, &str.state, sizeof word); \
    Print("unicode_state." name, word);     \
  } while (0)

static void PrintUnicodeState(void) {
  STATE_BITS("kind1", kind, 1);
  STATE_BITS("kind2", kind, 2);
  STATE_BITS("kind4", kind, 4);
  STATE_BITS("compact", compact, 1);
  STATE_BITS("ascii", ascii, 1);
  STATE_BITS("interned", interned, 3);
}

int main(void) {
  Print("version", PY_VERSION_HEX);
#ifdef Py_GIL_DISABLED
  Print("free_threaded", 1);
#else
  Print("free_threaded", 0);
#endif
  PrintTable();
  PrintStates();
  PrintFrame();
  PrintCode();
  PrintObjects();
  PrintConstants();
  PrintUnicodeState();
  return 0;
}
