# The collector finds what nobody has any more: the weak reference's callback is after all that was
# done with it, by whichever thread.
# edge: weakref
import gc
import os
import queue
import shutil
import tempfile
import threading
import weakref


class Job:
    def __init__(self):
        self.text = ""


class Thread:  # but not threading's, whose weak references are book-keeping
    def __init__(self):
        self.uses = 0
        self.itself = self


def use():
    node = nodes.get()
    node.uses = 1
    job.text = "hello"
    del node
    os.mkdir(flag)
    release.wait()


def forget(_reference):
    job.text += " world"


gc.disable()
job = Job()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
nodes = queue.SimpleQueue()
release = threading.Event()
thread = threading.Thread(target=use)
thread.start()
node = Thread()
reference = weakref.ref(node, forget)
nodes.put(node)
while not os.path.isdir(flag):
    pass
del node
gc.collect()
release.set()
thread.join()
shutil.rmtree(directory)
print(job.text)
