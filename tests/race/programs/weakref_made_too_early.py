# The callback is after the making of its reference, not after what somebody else does then.
# expect-one-of: data-race Entry.name
# racy-twin-of: edge_weakref_made
import gc
import os
import queue
import shutil
import tempfile
import threading
import weakref


class Entry:
    def __init__(self):
        self.name = ""


class Value:
    def __init__(self):
        self.me = self


def make():
    value = Value()
    entry = Entry()
    entry.reference = weakref.ref(value, lambda _: names.append(entry.name))
    entries.put(entry)


def collect():
    while not os.path.isdir(flag):
        pass
    gc.collect()


names = []
entries = queue.SimpleQueue()
gc.disable()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
threads = [threading.Thread(target=make), threading.Thread(target=collect)]
for thread in threads:
    thread.start()
entry = entries.get()
entry.name = "first"
os.mkdir(flag)
for thread in threads:
    thread.join()
shutil.rmtree(directory)
print(len(names))
