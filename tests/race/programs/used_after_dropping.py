# The finaliser is after what was done until the object was let go, not after what comes then.
# expect-one-of: data-race Job.text | lost-update Job.text
# racy-twin-of: edge_finaliser edge_gc_finaliser edge_last_reference
import os
import queue
import shutil
import tempfile
import threading


class Job:
    def __init__(self):
        self.text = ""


class Handle:
    def __init__(self):
        self.uses = 0

    def __del__(self):
        job.text += " world"


def wait_for(flag):
    while not os.path.isdir(flag):  # looking at a directory orders nothing
        pass


def use():
    handle = handles.get()
    handle.uses = 1
    del handle
    os.mkdir(dropped)
    wait_for(finalised)
    job.text = "hello"


job = Job()
directory = tempfile.mkdtemp()
dropped, finalised = os.path.join(directory, "dropped"), os.path.join(directory, "finalised")
handles = queue.SimpleQueue()
thread = threading.Thread(target=use)
thread.start()
handle = Handle()
handles.put(handle)
wait_for(dropped)
del handle
os.mkdir(finalised)
thread.join()
shutil.rmtree(directory)
print(job.text)
