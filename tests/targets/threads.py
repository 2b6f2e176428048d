"""Parks one thread of every origin and says each one's OS id and the name it must be shown with."""

import concurrent.futures
import ctypes
import signal
import threading

import target

gate = threading.Lock()
arrived = threading.Semaphore(0)
expected = {}  # OS thread id -> name


def park(name=None):
    expected[threading.get_native_id()] = name or threading.current_thread().name
    arrived.release()
    gate.acquire()


def rename_and_park():
    threading.current_thread().name = "renamed-while-it-runs"
    park()


@ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
def run_known_to_threading(argument):
    park()  # current_thread() makes a Dummy-N


@ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
def run_unknown_to_threading(argument):
    libc.pthread_setname_np(ctypes.c_ulong(threading.get_ident()), b"made-by-c")
    park("made-by-c")


def start_in_c(function):
    libc.pthread_create(ctypes.byref(ctypes.c_ulong()), None, function, None)


libc = ctypes.CDLL(None)
gate.acquire()
expected[threading.get_native_id()] = "MainThread"
NAMES = [
    "a-name-much-longer-than-fifteen-bytes",
    "Größe-线程-🧵-that-the-kernel-cuts",
    "semi;colon and space",
    "line\nbreak",
]
for name in NAMES:
    threading.Thread(target=park, name=name).start()
threading.Thread(target=park, name="a-daemon", daemon=True).start()
threading.Thread(target=rename_and_park).start()
executor = concurrent.futures.ThreadPoolExecutor(2, thread_name_prefix="executor-of-the-test")
executor.submit(park)
executor.submit(park)
start_in_c(run_known_to_threading)
start_in_c(run_unknown_to_threading)
for _ in range(len(NAMES) + 6):
    arrived.acquire()
target.ready(threads=expected)
signal.pause()
