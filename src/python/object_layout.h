// Layouts of CPython objects that its table of debug offsets leaves out: bits, flags and the
// structs behind a dict and an instance's attributes. tests/headers compares each with CPython's
// own headers. All are the same in 3.13, 3.14 and 3.15 unless said otherwise. Offsets and sizes in
// bytes.
#ifndef FTHREADPROF_PYTHON_OBJECT_LAYOUT_H_
#define FTHREADPROF_PYTHON_OBJECT_LAYOUT_H_

#include <cstdint>

#include "python/debug_offsets.h"

namespace fthreadprof {

inline constexpr uint64_t kWordSize = 8;

// PyTypeObject.tp_flags; object.h.
struct TypeFlags {
  static constexpr uint64_t kInlineValues = 1u << 2;
  static constexpr uint64_t kManagedDict = 1u << 4;
  static constexpr uint64_t kHeapType = 1u << 9;
  static constexpr uint64_t kLongSubclass = 1u << 24;
  static constexpr uint64_t kBytesSubclass = 1u << 27;
  static constexpr uint64_t kUnicodeSubclass = 1u << 28;
  static constexpr uint64_t kDictSubclass = 1u << 29;
};

// PyASCIIObject.state, a bit-field; cpython/unicodeobject.h. Free-threaded builds give `interned` a
// byte of its own from 3.14 on.
struct UnicodeState {
  uint32_t kind;  // bytes a code point: 1, 2 or 4
  bool compact;   // the data follow the struct, else PyUnicodeObject.data points at them
  bool ascii;

  static int KindShift(const DebugOffsets& offsets) {
    return offsets.free_threaded && offsets.minor() >= 14 ? 8 : 2;
  }
  static UnicodeState Decode(uint32_t state, const DebugOffsets& offsets) {
    const uint32_t bits = state >> KindShift(offsets);
    return {bits & 7, (bits >> 3 & 1) != 0, (bits >> 4 & 1) != 0};
  }
};

// PyUnicodeObject: {PyCompactUnicodeObject _base; void* data}; the data of a compact str that is
// not ASCII follow _base; cpython/unicodeobject.h.
inline uint64_t UnicodeDataField(const DebugOffsets& offsets) {
  return offsets.unicode_object.size - kWordSize;
}

// _PyLongValue: lv_tag's low three bits are no digit count, two of them the sign, and digits of 30
// bits follow; cpython/longintrepr.h.
struct LongTag {
  static constexpr int kNonSizeBits = 3;
  static constexpr uint64_t kSignMask = 3;
  static constexpr uint64_t kNegative = 2;
  static constexpr int kDigitBits = 30;
};

// struct _dictkeysobject; pycore_dict.h. The index table follows the header, the entries follow it.
struct DictKeys {
  static constexpr uint64_t kLog2Size = 8;        // uint8
  static constexpr uint64_t kLog2IndexBytes = 9;  // uint8
  static constexpr uint64_t kKind = 10;           // uint8
  static constexpr uint64_t kEntryCount = 24;     // dk_nentries
  static constexpr uint64_t kHeaderSize = 32;
  enum Kind : uint8_t { kGeneral = 0, kUnicode = 1, kSplit = 2 };
  // PyDictKeyEntry {hash, key, value} in general tables, PyDictUnicodeEntry {key, value} in others.
  static constexpr uint64_t kGeneralEntrySize = 24;
  static constexpr uint64_t kUnicodeEntrySize = 16;
};

// struct _dictvalues; pycore_dict.h: values[capacity], then a byte a value: the order of insertion.
struct DictValues {
  static constexpr uint64_t kCapacity = 0;  // uint8
  static constexpr uint64_t kSize = 1;      // uint8: how many are set
  static constexpr uint64_t kValid =
      3;  // uint8: inline values are the attributes; else the dict has them
  static constexpr uint64_t kHeaderSize = 8;
};

// _PyObject_ManagedDictPointer: how far before an object; pycore_object.h.
inline uint64_t ManagedDictDistance(const DebugOffsets& offsets) {
  return (offsets.free_threaded ? 1 : 3) * kWordSize;
}

// PyModuleObject.md_dict: right behind the head; pycore_moduleobject.h.
inline uint64_t ModuleDictField(const DebugOffsets& offsets) { return offsets.pyobject.size; }

// PyModuleObject of a free-threaded build; pycore_moduleobject.h.
struct ModuleLayout {
  // A pointer that is null in a module that Python code makes: md_def, from 3.15 on md_token.
  uint64_t definition;
  // md_gil, a pointer that is 1 (Py_MOD_GIL_NOT_USED) where the module can run without the GIL;
  // from 3.15 on md_requires_gil, a bool.
  uint64_t gil;
  // Behind both.
  uint64_t size;

  static ModuleLayout Of(const DebugOffsets& offsets) {
    const uint64_t head = offsets.pyobject.size;
    if (offsets.minor() < 15) return {head + 8, head + 40, head + 48};
    return {head + 72, head + 33, head + 80};
  }
};

// PyCellObject.ob_ref: right behind the head; cpython/cellobject.h.
inline uint64_t CellRefField(const DebugOffsets& offsets) { return offsets.pyobject.size; }

// PyObject.ob_mutex of free-threaded builds: behind ob_tid and two bytes of flags; object.h.
inline constexpr uint64_t kObjectMutexField = 10;

// What PyThreadState.critical_section points at, a chain; free-threaded builds;
// cpython/critical_section.h (PyCriticalSection2). The pointers' tags: pycore_critical_section.h.
struct CriticalSection {
  static constexpr uint64_t kInactive = 1;  // its mutexes are given back until it is resumed
  static constexpr uint64_t kTwoMutexes = 2;
  static constexpr uint64_t kTagMask = 3;
  static constexpr uint64_t kPrevious = 0;
  static constexpr uint64_t kMutex = 8;
  static constexpr uint64_t kMutex2 = 16;
  static constexpr uint64_t kSize = 24;
};

// What a bound method is bound to: PyCFunctionObject.m_self (cpython/methodobject.h) and
// PyMethodObject.im_self (cpython/classobject.h).
inline uint64_t BoundSelfField(const DebugOffsets& offsets) { return offsets.pyobject.size + 8; }

// The owner's thread ident, 0 when nobody has it, of rlockobject: {lock, rlock_owner} in 3.13,
// _PyRecursiveMutex {mutex, thread} from 3.14 on; Modules/_threadmodule.c, pycore_lock.h.
inline uint64_t RLockOwnerField(const DebugOffsets& offsets) { return offsets.pyobject.size + 8; }

// A byte of co_localspluskinds: the slot holds a cell (once the function has made it);
// pycore_code.h.
struct LocalKind {
  static constexpr uint8_t kCell = 0x40;
  static constexpr uint8_t kFree = 0x80;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_OBJECT_LAYOUT_H_
