# The collector finds what nobody has any more: its finaliser and its weak reference's callback are
# after all that was done with it, by whichever thread.
# edge: finaliser
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


class Node:
    def __init__(self):
        self.uses = 0
        self.itself = self


class Closing(Node):
    def __del__(self):
        closed.text += " world"


def use():
    node, closing = nodes.get()
    node.uses = 1
    gone.text = "hello"
    closing.uses = 1
    closed.text = "hello"
    del node, closing
    os.mkdir(flag)
    release.wait()


def forget(_reference):
    gone.text += " world"


gc.disable()
gone, closed = Job(), Job()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
nodes = queue.SimpleQueue()
release = threading.Event()
thread = threading.Thread(target=use)
thread.start()
node, closing = Node(), Closing()
reference = weakref.ref(node, forget)
nodes.put((node, closing))
while not os.path.isdir(flag):
    pass
del node, closing
gc.collect()
release.set()
thread.join()
shutil.rmtree(directory)
print(gone.text, closed.text)
