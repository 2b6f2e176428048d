# Two threads that C code made, at once: each is after what came before, none after the other.
# expect: lost-update Job.tries
# racy-twin-of: edge_adoption
import ctypes
import threading


class Job:
    def __init__(self):
        self.tries = 0


def run(_argument):
    both_run.wait()
    for _ in range(20):
        job.tries += 1
    return None


job = Job()
both_run = threading.Barrier(2)
helper = threading.Thread(target=lambda: None)
helper.start()
helper.join()
library = ctypes.CDLL(None)
callback = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(run)
ids = [ctypes.c_ulong() for _ in range(2)]
for thread_id in ids:
    library.pthread_create(ctypes.byref(thread_id), None, callback, None)
for thread_id in ids:
    library.pthread_join(thread_id, None)
print("done")
