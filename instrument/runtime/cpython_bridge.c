#include "cpython_bridge.h"

#include "internal/pycore_code.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_gc.h"
#include "internal/pycore_object.h"
#include "internal/pycore_opcode_metadata.h"
#include "internal/pycore_typeobject.h"
#include "internal/pycore_weakref.h"

const char* ftp_opcode_name(int opcode) {
  return opcode >= 0 && opcode < 256 ? _PyOpcode_OpName[opcode] : NULL;
}

int ftp_opcode_caches(int opcode) { return _PyOpcode_Caches[opcode & 255]; }

int ftp_opcode_jumps(int opcode) { return OPCODE_HAS_JUMP(opcode & 255) != 0; }

int ftp_opcode_popped(int opcode, int argument) { return _PyOpcode_num_popped(opcode, argument); }

int ftp_opcode_pushed(int opcode, int argument) { return _PyOpcode_num_pushed(opcode, argument); }

void ftp_code_unit(PyCodeObject* code, int index, int* opcode, int* argument) {
#if PY_VERSION_HEX >= 0x030e0000
  const _Py_CODEUNIT unit = _Py_GetBaseCodeUnit(code, index);
  *opcode = unit.op.code;
  *argument = unit.op.arg;
#else
  *opcode = _Py_GetBaseOpcode(code, index);
  *argument = _PyCode_CODE(code)[index].op.arg;
#endif
}

PyObject* ftp_inline_attribute(PyObject* object, PyObject* name) {
  PyObject* value = NULL;
  if (!(Py_TYPE(object)->tp_flags & Py_TPFLAGS_INLINE_VALUES)) return NULL;
  if (!_PyObject_TryGetInstanceAttribute(object, name, &value)) return NULL;
  return value;
}

int ftp_type_has_method(PyTypeObject* type, PyObject* name) {
  PyObject* found = _PyType_Lookup(type, name); /* borrowed, from the type cache mostly */
  return found != NULL && Py_TYPE(found)->tp_descr_get != NULL;
}

int ftp_type_defines(PyTypeObject* type, PyObject* name) {
  return type->tp_dict != NULL && PyDict_Contains(type->tp_dict, name) == 1;
}

int ftp_dict_next(PyObject* dict, Py_ssize_t* position, PyObject** key, Py_hash_t* hash) {
  PyObject* value;
  return _PyDict_Next(dict, position, key, &value, hash);
}

int ftp_has_weakref_callbacks(PyObject* object) {
  if (!_PyType_SUPPORTS_WEAKREFS(Py_TYPE(object))) return 0;
  PyWeakReference** list = (PyWeakReference**)_PyObject_GET_WEAKREFS_LISTPTR(object);
  if (*list == NULL) return 0;
  int has = 0;
  LOCK_WEAKREFS(object);
  for (PyWeakReference* weak = *list; weak != NULL && !has; weak = weak->wr_next) {
    has = weak->wr_callback != NULL;
  }
  UNLOCK_WEAKREFS(object);
  return has;
}

int ftp_is_called_by_collector(PyWeakReference* weak) {
  return weak->wr_callback != NULL && (((PyObject*)weak)->ob_gc_bits & _PyGC_BITS_UNREACHABLE) == 0;
}
