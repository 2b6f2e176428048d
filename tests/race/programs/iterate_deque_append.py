# expect: iteration Monitor.samples
import collections
import threading


class Monitor:
    def __init__(self):
        self.samples = collections.deque([1.0, 2.0, 3.0], maxlen=100)

    def add(self, sample):
        self.samples.append(sample)

    def mean(self):
        total = 0.0
        try:
            for sample in self.samples:
                total += sample
        except RuntimeError:  # the deque changed meanwhile
            pass
        return total / 3


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
