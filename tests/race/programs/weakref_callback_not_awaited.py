# The callback is after what was done until the entry was let go, not after what comes then.
# expect-one-of: data-race Job.text | lost-update Job.text
# racy-twin-of: edge_weakref edge_gc_weakref
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


def wait_for(flag):
    while not os.path.isdir(flag):  # looking at a directory orders nothing
        pass


def use():
    entry = entries.get()
    entry.uses = 1
    del entry
    os.mkdir(dropped)
    wait_for(called)
    job.text = "hello"


def gone(_reference):
    job.text += " world"


job = Job()
directory = tempfile.mkdtemp()
dropped, called = os.path.join(directory, "dropped"), os.path.join(directory, "called")
entries = queue.SimpleQueue()
thread = threading.Thread(target=use)
thread.start()
entry = Entry()
reference = weakref.ref(entry, gone)
entries.put(entry)
wait_for(dropped)
del entry
os.mkdir(called)
thread.join()
shutil.rmtree(directory)
print(job.text)
