# A thread that C code made is after all that had been done when it first runs Python.
# edge: adoption
import ctypes
import threading


class Job:
    def __init__(self):
        self.text = ""


def run(_argument):
    seen.append(job.text)
    return None


job = Job()
seen = []
helper = threading.Thread(target=lambda: None)
helper.start()
helper.join()
job.text = "hello"
library = ctypes.CDLL(None)
callback = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(run)
thread_id = ctypes.c_ulong()
library.pthread_create(ctypes.byref(thread_id), None, callback, None)
library.pthread_join(thread_id, None)
print("done")
