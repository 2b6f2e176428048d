# Attempts that fail or time out order nothing and break nothing.
# edge: lock
import threading


class Counter:
    def __init__(self):
        self.lock = threading.Lock()
        self.value = 0

    def add(self):
        for _ in range(20):
            while not (self.lock.acquire(blocking=False) or self.lock.acquire(timeout=0.001)):
                pass
            self.value += 1
            self.lock.release()


counter = Counter()
threads = [threading.Thread(target=counter.add) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(counter.value)
