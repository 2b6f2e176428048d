# A weak reference orders by its callback: not one without, nor one that is garbage itself.
# expect-one-of: data-race Job.text | lost-update Job.text
# racy-twin-of: edge_weakref edge_gc_weakref
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


class Node:
    def __init__(self):
        self.uses = 0


def use():
    node, in_cycle = nodes.get()
    node.uses = in_cycle.uses = app.uses = 1
    job.text = "hello"
    del node, in_cycle
    os.mkdir(flag)
    release.wait()


gc.disable()
job, app = Job(), Node()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
nodes = queue.SimpleQueue()
release = threading.Event()
thread = threading.Thread(target=use)
thread.start()
node, in_cycle, garbage = Node(), Node(), Node()
in_cycle.itself, garbage.itself = in_cycle, garbage
references = [weakref.ref(node), weakref.ref(in_cycle)]
garbage.reference = weakref.ref(app, print)
nodes.put((node, in_cycle))
while not os.path.isdir(flag):
    pass
del node, in_cycle, garbage
gc.collect()
job.text += " world"
release.set()
thread.join()
shutil.rmtree(directory)
print(job.text)
