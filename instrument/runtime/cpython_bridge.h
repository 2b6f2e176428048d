/* cpython_bridge: what the runtime wants from CPython's internal headers that C++ cannot include.
 * None of it allocates Python objects, runs Python code or takes a lock of CPython. */
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_CPYTHON_BRIDGE_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_CPYTHON_BRIDGE_H_

#include "Python.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The name of an opcode, NULL if there is none; its inline cache units; whether it may jump. */
const char* ftp_opcode_name(int opcode);
int ftp_opcode_caches(int opcode);
int ftp_opcode_jumps(int opcode);
/* -1 when not known */
int ftp_opcode_popped(int opcode, int argument);
int ftp_opcode_pushed(int opcode, int argument);
/* The instruction at a code unit as the compiler made it, neither specialised nor instrumented. */
void ftp_code_unit(PyCodeObject* code, int index, int* opcode, int* argument);

/* The value of an attribute in the object's inline values, as a new reference; NULL if it is not
 * there, with no error set. `name` must be interned. */
PyObject* ftp_inline_attribute(PyObject* object, PyObject* name);

/* Whether attribute look-up on the object finds `name` on its type, and it is bound by __get__. */
int ftp_type_has_method(PyTypeObject* type, PyObject* name);

/* The next key of the dict, with its hash; 0 at the end. */
int ftp_dict_next(PyObject* dict, Py_ssize_t* position, PyObject** key, Py_hash_t* hash);

/* Whether weak references with a callback to the object are alive. Waits for the lock of their
 * list, which CPython holds for no longer than it takes to change the list. */
int ftp_has_weakref_callbacks(PyObject* object);

/* Whether the collector, which takes the weak reference away, is going to run its callback. */
int ftp_is_called_by_collector(PyWeakReference* weak);

/* Whether the type's own dict has the name. May wait for the dict's lock, as the look-up in a type
 * that is about to happen may. */
int ftp_type_defines(PyTypeObject* type, PyObject* name);

#ifdef __cplusplus
}
#endif

#endif /* FTHREADPROF_INSTRUMENT_RUNTIME_CPYTHON_BRIDGE_H_ */
