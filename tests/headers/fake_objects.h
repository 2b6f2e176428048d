// Makes Python objects out of CPython's own structs, without CPython: what a reader from outside
// sees of them is what an interpreter of these headers would have in memory. For C programs that
// are compiled with Py_BUILD_CORE; nothing of CPython is linked.
#ifndef FTHREADPROF_TESTS_HEADERS_FAKE_OBJECTS_H_
#define FTHREADPROF_TESTS_HEADERS_FAKE_OBJECTS_H_

#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "internal/pycore_code.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_moduleobject.h"
#include "internal/pycore_object.h"

#define FAKE_TYPE(variable, name, flags) \
  PyTypeObject variable = {.tp_name = name, .tp_basicsize = sizeof(PyObject), .tp_flags = flags}
FAKE_TYPE(PyUnicode_Type, "str", Py_TPFLAGS_UNICODE_SUBCLASS);
FAKE_TYPE(PyBytes_Type, "bytes", Py_TPFLAGS_BYTES_SUBCLASS);
FAKE_TYPE(PyLong_Type, "int", Py_TPFLAGS_LONG_SUBCLASS);
FAKE_TYPE(PyDict_Type, "dict", Py_TPFLAGS_DICT_SUBCLASS);
FAKE_TYPE(PyModule_Type, "module", 0);
FAKE_TYPE(PyCode_Type, "code", 0);
FAKE_TYPE(_PyNone_Type, "NoneType", 0);
PyObject _Py_NoneStruct = {.ob_type = &_PyNone_Type};

static void* Allocate(size_t size) {
  void* memory = calloc(1, size);
  if (memory == NULL) abort();
  return memory;
}

// UTF-8 of at most three bytes a character; ASCII text makes a compact ASCII str, other a UCS2 one.
static PyObject* NewStr(const char* utf8) {
  Py_UCS2 units[256];
  size_t length = 0;
  int ascii = 1;
  for (const unsigned char* p = (const unsigned char*)utf8; *p != 0;) {
    unsigned unit = *p++;
    if (unit >= 0xe0) {
      unit = (unit & 0xf) << 12 | (p[0] & 0x3fu) << 6 | (p[1] & 0x3fu);
      p += 2;
    } else if (unit >= 0xc0) {
      unit = (unit & 0x1f) << 6 | (p[0] & 0x3fu);
      p += 1;
    }
    ascii &= unit < 0x80;
    if (length == sizeof units / sizeof *units) abort();
    units[length++] = (Py_UCS2)unit;
  }
  const size_t head = ascii ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject);
  PyASCIIObject* str = Allocate(head + (length + 1) * sizeof(Py_UCS2));
  str->ob_base.ob_type = &PyUnicode_Type;
  str->length = (Py_ssize_t)length;
  str->hash = -1;
  str->state.interned = 1;
  str->state.kind = ascii ? PyUnicode_1BYTE_KIND : PyUnicode_2BYTE_KIND;
  str->state.compact = 1;
  str->state.ascii = (unsigned)ascii;
  for (size_t i = 0; i < length; ++i) {
    if (ascii) {
      ((Py_UCS1*)str)[head + i] = (Py_UCS1)units[i];
    } else {
      memcpy((char*)str + head + i * sizeof(Py_UCS2), &units[i], sizeof(Py_UCS2));
    }
  }
  return (PyObject*)str;
}

static PyObject* NewBytes(const void* data, size_t size) {
  PyBytesObject* bytes = Allocate(sizeof *bytes + size);
  bytes->ob_base.ob_base.ob_type = &PyBytes_Type;
  bytes->ob_base.ob_size = (Py_ssize_t)size;
  memcpy(bytes->ob_sval, data, size);
  return (PyObject*)bytes;
}

static PyObject* NewInt(uint64_t value) {
  PyLongObject* integer = Allocate(sizeof *integer + 3 * sizeof(digit));
  integer->ob_base.ob_type = &PyLong_Type;
  size_t count = 0;
  for (; value != 0; value >>= PyLong_SHIFT) {
    integer->long_value.ob_digit[count++] = (digit)(value & PyLong_MASK);
  }
  integer->long_value.lv_tag = count << _PyLong_NON_SIZE_BITS;
  return (PyObject*)integer;
}

typedef struct {
  PyObject* key;
  PyObject* value;
} Item;

// Room for 42 entries.
static PyDictKeysObject* NewKeys(DictKeysKind kind, const Item* items, size_t count) {
  const int log2_size = 6;
  PyDictKeysObject* keys =
      Allocate(sizeof *keys + (1 << log2_size) + (2 << log2_size) * sizeof(PyDictKeyEntry));
  keys->dk_log2_size = (uint8_t)log2_size;
  keys->dk_log2_index_bytes = (uint8_t)log2_size;
  keys->dk_kind = (uint8_t)kind;
  keys->dk_nentries = (Py_ssize_t)count;
  for (size_t i = 0; i < count; ++i) {
    char* entries = keys->dk_indices + (1 << log2_size);
    if (kind == DICT_KEYS_GENERAL) {
      PyDictKeyEntry* entry = (PyDictKeyEntry*)entries + i;
      entry->me_key = items[i].key;
      entry->me_value = items[i].value;
    } else {
      PyDictUnicodeEntry* entry = (PyDictUnicodeEntry*)entries + i;
      entry->me_key = items[i].key;
      entry->me_value = items[i].value;
    }
  }
  return keys;
}

static PyObject* NewDict(PyDictKeysObject* keys) {
  PyDictObject* dict = Allocate(sizeof *dict);
  dict->ob_base.ob_type = &PyDict_Type;
  dict->ma_keys = keys;
  return (PyObject*)dict;
}

static PyObject* NewStrDict(const Item* items, size_t count) {
  return NewDict(NewKeys(DICT_KEYS_UNICODE, items, count));
}

static PyObject* NewModule(PyObject* globals) {
  PyModuleObject* module = Allocate(sizeof *module);
  module->ob_base.ob_type = &PyModule_Type;
  module->md_dict = globals;
  return (PyObject*)module;
}

// A class whose instances keep the attributes of `keys` inline.
static PyTypeObject* NewClass(const char* name, PyDictKeysObject* keys) {
  PyHeapTypeObject* type = Allocate(sizeof *type);
  type->ht_type.tp_name = name;
  type->ht_type.tp_basicsize = sizeof(PyObject);
  type->ht_type.tp_flags = Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_INLINE_VALUES;
  type->ht_cached_keys = keys;
  return (PyTypeObject*)type;
}

static PyDictValues* ValuesOf(PyObject* instance) { return (PyDictValues*)(instance + 1); }

static PyObject* NewInstance(PyTypeObject* type, PyObject* const* attributes, uint8_t count) {
  const size_t before = (size_t)-MANAGED_DICT_OFFSET;
  PyObject* instance =
      (PyObject*)((char*)Allocate(before + sizeof *instance + sizeof(PyDictValues) +
                                  count * (sizeof(PyObject*) + 1)) +
                  before);
  instance->ob_type = type;
  PyDictValues* values = ValuesOf(instance);
  values->capacity = count;
  values->size = count;
  values->embedded = 1;
  values->valid = 1;
  for (uint8_t i = 0; i < count; ++i) {
    values->values[i] = attributes[i];
    ((uint8_t*)&values->values[count])[i] = i;
  }
  return instance;
}

#endif  // FTHREADPROF_TESTS_HEADERS_FAKE_OBJECTS_H_
