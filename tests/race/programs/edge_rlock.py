# edge: rlock
import threading


class Counter:
    def __init__(self):
        self.lock = threading.RLock()
        self.value = 0

    def add(self):
        with self.lock:
            self.value += 1

    def add_many(self):
        for _ in range(10):
            with self.lock:
                self.add()
                self.value += 1


counter = Counter()
threads = [threading.Thread(target=counter.add_many) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(counter.value)
