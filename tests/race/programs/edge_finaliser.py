# A finaliser is after all that was done with the object, by whichever thread.
# edge: finaliser
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


def use():
    handle = handles.get()
    handle.uses = 1
    job.text = "hello"
    del handle
    os.mkdir(flag)
    release.wait()


job = Job()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
handles = queue.SimpleQueue()
release = threading.Event()
thread = threading.Thread(target=use)
thread.start()
handle = Handle()
handles.put(handle)
while not os.path.isdir(flag):
    pass
del handle
release.set()
thread.join()
shutil.rmtree(directory)
print(job.text)
