# The two fill in different keys. That the one looks for a key that nobody has stored says nothing
# of what the other did before it stored its own.
# expect: lost-update Cache.size
import os
import shutil
import tempfile
import threading


class Cache:
    def __init__(self):
        self.entries = {}
        self.size = 0

    def add(self, key):
        if self.entries.get(key) is None and key not in self.entries:
            self.size += 1
            self.entries[key] = str(key)


def fill():
    for number in range(50):
        cache.add(number)
    os.mkdir(flag)


def fill_more():
    while not os.path.isdir(flag):
        pass
    for number in range(50, 100):
        cache.add(number)


cache = Cache()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
threads = [threading.Thread(target=f) for f in (fill_more, fill)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
shutil.rmtree(directory)
print(cache.size)
