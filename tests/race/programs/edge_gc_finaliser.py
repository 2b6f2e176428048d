# The collector finds what nobody has any more: its finaliser is after all that was done with it, by
# whichever thread.
# edge: finaliser
import gc
import os
import queue
import shutil
import tempfile
import threading


class Job:
    def __init__(self):
        self.text = ""


class Node:
    def __init__(self):
        self.uses = 0
        self.itself = self

    def __del__(self):
        job.text += " world"


def use():
    node = nodes.get()
    node.uses = 1
    job.text = "hello"
    del node
    os.mkdir(flag)
    release.wait()


gc.disable()
job = Job()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
nodes = queue.SimpleQueue()
release = threading.Event()
thread = threading.Thread(target=use)
thread.start()
node = Node()
nodes.put(node)
while not os.path.isdir(flag):
    pass
del node
gc.collect()
release.set()
thread.join()
shutil.rmtree(directory)
print(job.text)
