# Keys that are told apart by their identity die, and others take their addresses: in a dict, in a
# set and in the registry of weakref.finalize.
import os
import queue
import shutil
import tempfile
import threading
import weakref


class Key:
    pass


def use(key):
    table[key] = 1
    table[key] += 1
    del table[key]
    keys.add(key)
    keys.discard(key)
    weakref.finalize(key, len, "").detach()


def take():
    while (key := there.get()) is not None:
        use(key)
        del key
    os.mkdir(flag)


table, keys = {}, set()
there = queue.SimpleQueue()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
thread = threading.Thread(target=take)
thread.start()
for _ in range(500):
    there.put(Key())
there.put(None)
while not os.path.isdir(flag):
    pass
others = [Key() for _ in range(1000)]
for other in others:
    use(other)
thread.join()
shutil.rmtree(directory)
print(len(table), len(keys))
