# The callback of a weak reference is after all that the object's users did.
# edge: weakref
import os
import queue
import shutil
import tempfile
import threading
import weakref


class Job:
    def __init__(self):
        self.text = ""


class Entry:
    def __init__(self):
        self.uses = 0


def use():
    entry = entries.get()
    entry.uses = 1
    job.text = "hello"
    del entry
    os.mkdir(flag)
    release.wait()


def gone(_reference):
    job.text += " world"


job = Job()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
entries = queue.SimpleQueue()
release = threading.Event()
thread = threading.Thread(target=use)
thread.start()
entry = Entry()
reference = weakref.ref(entry, gone)
entries.put(entry)
while not os.path.isdir(flag):
    pass
del entry
release.set()
thread.join()
shutil.rmtree(directory)
print(job.text)
