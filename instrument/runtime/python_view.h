// python_view: CPython's structures as the hooks see them: frames, code, the spare bits of an
// object's header. Every difference between 3.13, 3.14 and 3.15 is in here or in cpython_bridge.c.
//
// Sources: Include/internal/pycore_frame.h (3.13), pycore_interpframe.h (3.14 on),
// Include/object.h.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_PYTHON_VIEW_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_PYTHON_VIEW_H_

#include "Python.h"
// after Python.h
#include "internal/pycore_code.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_pystate.h"
#if PY_VERSION_HEX >= 0x030e0000
#include "internal/pycore_interpframe.h"
#include "internal/pycore_interpframe_structs.h"
#include "internal/pycore_stackref.h"
#endif

#include <cstdint>
#include <cstring>

#ifndef Py_GIL_DISABLED
#error "the race interpreter is a free-threaded one (--disable-gil)"
#endif

namespace fthreadprof::race {

// --- Frames

inline PyObject* ExecutableOf(const _PyInterpreterFrame* frame) {
#if PY_VERSION_HEX >= 0x030e0000
  return reinterpret_cast<PyObject*>(frame->f_executable.bits & ~uintptr_t{3});
#else
  return frame->f_executable;
#endif
}

// Entry frames of the evaluation loop: no Python function. FRAME_OWNED_BY_CSTACK in 3.13,
// FRAME_OWNED_BY_INTERPRETER and above from 3.14 on.
inline bool IsShim(const _PyInterpreterFrame* frame) { return frame->owner >= 3; }

inline _PyInterpreterFrame* SkipShims(_PyInterpreterFrame* frame) {
  while (frame != nullptr && IsShim(frame)) frame = frame->previous;
  return frame;
}

// Of the calling thread; nullptr when it is detached or runs no Python function.
inline _PyInterpreterFrame* CurrentFrame() {
  PyThreadState* const state = _Py_tss_tstate;
  return state == nullptr ? nullptr : SkipShims(state->current_frame);
}

inline _PyInterpreterFrame* CallerOf(const _PyInterpreterFrame* frame) {
  return SkipShims(frame->previous);
}

inline PyCodeObject* CodeOf(const _PyInterpreterFrame* frame) {
  return reinterpret_cast<PyCodeObject*>(ExecutableOf(frame));
}

// Of the instruction that runs, in code units. Thread-local bytecode is off (see the configure
// hook), so the code's own array is the one that runs.
inline uint32_t OffsetIn(const _PyInterpreterFrame* frame) {
  const auto* first = reinterpret_cast<const _Py_CODEUNIT*>(CodeOf(frame)->co_code_adaptive);
  const ptrdiff_t offset = frame->instr_ptr - first;
  return offset < 0 ? 0 : static_cast<uint32_t>(offset);
}

// A fast local by its index; nullptr if it is not set.
inline PyObject* LocalOf(const _PyInterpreterFrame* frame, int index) {
  if (index >= CodeOf(frame)->co_nlocalsplus) return nullptr;
#if PY_VERSION_HEX >= 0x030e0000
  const uintptr_t bits = frame->localsplus[index].bits;
  return bits == 1 ? nullptr : reinterpret_cast<PyObject*>(bits & ~uintptr_t{3});
#else
  return frame->localsplus[index];
#endif
}

// --- The spare bits of an object's header: 16 bits of padding in 3.13, ob_flags from 3.14 on,
// whose bits 0 to 3 are CPython's. Zero in a new object (new_reference).

inline constexpr uint16_t kTracked = 1 << 4;       // it has a shadow
inline constexpr uint16_t kDying = 1 << 5;         // its last reference is gone
inline constexpr uint16_t kSynchronizes = 1 << 6;  // SyncTable knows it
inline constexpr uint16_t kBenign = 1 << 7;        // the program says that its races are harmless
inline constexpr uint16_t kHidesMethod = 1 << 8;   // an attribute of its own has a method's name
// The upper bits tell an object from the one that had its address before. 0: not needed so far.
inline constexpr int kGenerationShift = 9;
inline constexpr uint32_t kGenerations = 1 << (16 - kGenerationShift);

inline uint16_t* HeaderBits(PyObject* object) {
#if PY_VERSION_HEX >= 0x030e0000
  return &object->ob_flags;
#else
  return &object->_padding;
#endif
}

inline uint16_t LoadHeader(PyObject* object) {
  return __atomic_load_n(HeaderBits(object), __ATOMIC_RELAXED);
}
inline void SetHeader(PyObject* object, uint16_t bits) {
  __atomic_fetch_or(HeaderBits(object), bits, __ATOMIC_RELAXED);
}
inline void ClearHeader(PyObject* object, uint16_t bits) {
  __atomic_fetch_and(HeaderBits(object), static_cast<uint16_t>(~bits), __ATOMIC_RELAXED);
}

// --- Strings

// The bytes of a compact ASCII str; nullptr for any other object.
inline const char* AsciiData(PyObject* object, Py_ssize_t* size) {
  if (object == nullptr || !PyUnicode_CheckExact(object) || !PyUnicode_IS_COMPACT_ASCII(object)) {
    return nullptr;
  }
  *size = PyUnicode_GET_LENGTH(object);
  return reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(object));
}

inline bool EqualsAscii(PyObject* object, const char* text) {
  Py_ssize_t size;
  const char* data = AsciiData(object, &size);
  return data != nullptr && static_cast<size_t>(size) == strlen(text) &&
         memcmp(data, text, static_cast<size_t>(size)) == 0;
}

// The hash of a dict key or name without running Python code: cached in a str, computed for numbers
// and constants. False for others, whose __hash__ may be Python code.
inline bool HashWithoutPython(PyObject* key, Py_hash_t* hash) {
  if (PyUnicode_CheckExact(key)) {
    *hash = reinterpret_cast<PyASCIIObject*>(key)->hash;
    if (*hash != -1) return true;
  } else if (!PyLong_CheckExact(key) && !PyBytes_CheckExact(key) && !PyFloat_CheckExact(key) &&
             key != Py_None && !PyBool_Check(key)) {
    return false;
  }
  *hash = PyObject_Hash(key);  // of these types: C code that cannot fail
  return *hash != -1;
}

// As HashKey of the hash, but -1 and -2, which have the same hash, are different keys.
inline bool IsMinusOne(PyObject* key) {
  return PyLong_CheckExact(key) && _PyLong_IsCompact(reinterpret_cast<PyLongObject*>(key)) &&
         _PyLong_CompactValue(reinterpret_cast<PyLongObject*>(key)) == -1;
}

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_PYTHON_VIEW_H_
