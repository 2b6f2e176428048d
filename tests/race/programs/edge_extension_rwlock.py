# An extension module's read-write lock, taken in each way that waits for so long only.
# edge: extension_lock
import os
import shutil
import tempfile
import threading

from support import extension

guard = extension.load("guard")


def work(way):
    guard.shared(words[way].reverse, way)
    os.mkdir(f"{directory}/{way}")  # looking at a directory orders nothing
    release.wait()


words = [["hello", "world"] for _ in range(4)]
directory = tempfile.mkdtemp()
release = threading.Event()
threads = [threading.Thread(target=work, args=(way,)) for way in range(4)]
for way, thread in enumerate(threads):
    thread.start()
    while not os.path.isdir(f"{directory}/{way}"):
        pass
    guard.shared(words[way].copy, way)
release.set()
for thread in threads:
    thread.join()
shutil.rmtree(directory)
print(words)
