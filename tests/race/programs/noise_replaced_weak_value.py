# A mutex dies after another one has taken its name: its weak reference's callback deletes nothing.
import os
import shutil
import tempfile
import threading
import weakref


class Mutex:
    pass


def hold():
    mutex = mutexes["a"] = Mutex()
    references.extend(mutexes.valuerefs())
    is_stored.set()
    while not os.path.isdir(flag):
        pass
    del mutex
    is_gone.set()


def replace():
    is_stored.wait()
    mutex = mutexes["a"] = Mutex()
    os.mkdir(flag)
    is_gone.wait()
    assert mutexes["a"] is mutex


mutexes = weakref.WeakValueDictionary()
references = []  # as long as they are there their callbacks are called
is_stored, is_gone = threading.Event(), threading.Event()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
threads = [threading.Thread(target=f) for f in (hold, replace)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
shutil.rmtree(directory)
print(len(mutexes), len(references))
