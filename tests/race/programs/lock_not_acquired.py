# An attempt that failed or timed out orders nothing.
# expect: lost-update Counter.value
# racy-twin-of: edge_lock_timeout
import threading


class Counter:
    def __init__(self):
        self.lock = threading.Lock()
        self.value = 0

    def add(self):
        for _ in range(20):
            self.lock.acquire(blocking=False)
            self.lock.acquire(timeout=0.0001)
            self.value += 1


counter = Counter()
counter.lock.acquire()  # for good
threads = [threading.Thread(target=counter.add) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(counter.value > 0)
