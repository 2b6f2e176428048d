import threading


class Cache:
    def __init__(self):
        self.entries = {}
        self.size = 0
        self.lock = threading.Lock()

    def add(self, key):
        if key in self.entries:
            return
        with self.lock:
            self.size += 1
            self.entries[key] = str(key)


def fill(first):
    for number in range(first, first + 50):
        cache.add(number)


cache = Cache()
threads = [threading.Thread(target=fill, args=(first,)) for first in (0, 50)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(cache.size)
