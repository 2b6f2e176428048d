/* What an extension module may order its callers with: locks of its own. */
#include <Python.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int told = 0;

/* Calls the function with the mutex held. */
static PyObject* locked(PyObject* module, PyObject* function) {
  Py_BEGIN_ALLOW_THREADS pthread_mutex_lock(&mutex);
  Py_END_ALLOW_THREADS PyObject* result = PyObject_CallNoArgs(function);
  pthread_mutex_unlock(&mutex);
  return result;
}

static PyObject* tell(PyObject* module, PyObject* none) {
  pthread_mutex_lock(&mutex);
  told = 1;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&mutex);
  Py_RETURN_NONE;
}

static PyObject* wait_until_told(PyObject* module, PyObject* none) {
  Py_BEGIN_ALLOW_THREADS pthread_mutex_lock(&mutex);
  while (!told) pthread_cond_wait(&changed, &mutex);
  pthread_mutex_unlock(&mutex);
  Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"locked", locked, METH_O, NULL},
                                {"tell", tell, METH_NOARGS, NULL},
                                {"wait_until_told", wait_until_told, METH_NOARGS, NULL},
                                {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {{Py_mod_gil, Py_MOD_GIL_NOT_USED}, {0, NULL}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "guard", NULL, 0, methods, slots};

PyMODINIT_FUNC PyInit_guard(void) { return PyModuleDef_Init(&module); }
