# edge: lock
import threading


class Counter:
    def __init__(self):
        self.lock = threading.Lock()
        self.value = 0

    def add(self):
        for _ in range(20):
            with self.lock:
                self.value += 1


counter = Counter()
threads = [threading.Thread(target=counter.add) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(counter.value)
