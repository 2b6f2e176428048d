# Who drops the last reference has done nothing else with the object; its finaliser and its weak
# reference's callback, which may run in the thread that made it, are after that all the same.
# edge: finaliser
# edge: weakref
import os
import shutil
import tempfile
import threading
import weakref


class Job:
    def __init__(self):
        self.text = ""


class Entry:
    pass


class Closing:
    def __del__(self):
        closed.text += " world"
        os.mkdir(finalised)


def wait_for(flag):
    while not os.path.isdir(flag):  # looking at a directory orders nothing
        pass


def drop():
    gone.text = closed.text = "hello"
    entries.pop()
    handles.pop()
    release.wait()


def forget(_reference):
    gone.text += " world"


gone, closed = Job(), Job()
directory = tempfile.mkdtemp()
finalised = os.path.join(directory, "finalised")
entries, handles = [Entry()], [Closing()]
reference = weakref.ref(entries[0], forget)
release = threading.Event()
thread = threading.Thread(target=drop)
thread.start()
wait_for(finalised)
release.set()
thread.join()
shutil.rmtree(directory)
print(gone.text, closed.text)
