/* What an extension module may order its callers with: locks of its own. */
#include <Python.h>
#include <pthread.h>
#include <time.h>

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

static void give_back(PyObject* capsule) { pthread_mutex_unlock(&mutex); }

/* The mutex is held until the result dies. */
static PyObject* hold(PyObject* module, PyObject* none) {
  Py_BEGIN_ALLOW_THREADS pthread_mutex_lock(&mutex);
  Py_END_ALLOW_THREADS return PyCapsule_New(&mutex, NULL, give_back);
}

static PyObject* lock_often(PyObject* module, PyObject* none) {
  Py_BEGIN_ALLOW_THREADS for (int i = 0; i < 10000; ++i) {
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
  }
  Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

static void lock_all(void) { pthread_mutex_lock(&mutex); }
static void unlock_all(void) { pthread_mutex_unlock(&mutex); }

static PyObject* guard_forks(PyObject* module, PyObject* none) {
  pthread_atfork(lock_all, unlock_all, unlock_all);
  Py_RETURN_NONE;
}

/* Calls the function with the read-write lock held, taken in the n-th way. */
static PyObject* shared(PyObject* module, PyObject* arguments) {
  static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  PyObject* function;
  int n;
  if (!PyArg_ParseTuple(arguments, "Oi", &function, &n)) return NULL;
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 60;
  Py_BEGIN_ALLOW_THREADS switch (n) {
    case 0:
      pthread_rwlock_timedwrlock(&lock, &until);
      break;
    case 1:
      pthread_rwlock_clockwrlock(&lock, CLOCK_REALTIME, &until);
      break;
    case 2:
      pthread_rwlock_timedrdlock(&lock, &until);
      break;
    default:
      pthread_rwlock_clockrdlock(&lock, CLOCK_REALTIME, &until);
  }
  Py_END_ALLOW_THREADS PyObject* result = PyObject_CallNoArgs(function);
  pthread_rwlock_unlock(&lock);
  return result;
}

static PyMethodDef methods[] = {{"locked", locked, METH_O, NULL},
                                {"hold", hold, METH_NOARGS, NULL},
                                {"lock_often", lock_often, METH_NOARGS, NULL},
                                {"guard_forks", guard_forks, METH_NOARGS, NULL},
                                {"shared", shared, METH_VARARGS, NULL},
                                {"tell", tell, METH_NOARGS, NULL},
                                {"wait_until_told", wait_until_told, METH_NOARGS, NULL},
                                {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {{Py_mod_gil, Py_MOD_GIL_NOT_USED}, {0, NULL}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "guard", NULL, 0, methods, slots};

PyMODINIT_FUNC PyInit_guard(void) { return PyModuleDef_Init(&module); }
