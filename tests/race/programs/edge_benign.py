# The program says that it may lose a count.
# edge: annotation
import threading

import fthreadprof


class Statistics:
    def __init__(self):
        self.hits = 0


def serve():
    for _ in range(10):
        statistics.hits += 1


statistics = fthreadprof.benign(Statistics())
threads = [threading.Thread(target=serve) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(statistics.hits > 0)
