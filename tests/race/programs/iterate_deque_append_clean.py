import collections
import threading


class Monitor:
    def __init__(self):
        self.changed = threading.Condition()
        self.samples = collections.deque([1.0, 2.0, 3.0], maxlen=100)

    def add(self, sample):
        with self.changed:
            self.samples.append(sample)

    def mean(self):
        with self.changed:
            return sum(self.samples) / len(self.samples)


monitor = Monitor()
threads = [
    threading.Thread(target=monitor.add, args=(4.0,)),
    threading.Thread(target=monitor.mean),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(monitor.samples))
