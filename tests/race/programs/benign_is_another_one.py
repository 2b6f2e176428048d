# One object's races are meant to be; the other's are not, though they are of one class.
# expect: lost-update Statistics.hits
# racy-twin-of: edge_benign
import threading

import fthreadprof


class Statistics:
    def __init__(self):
        self.hits = 0


def serve():
    for _ in range(10):
        rough.hits += 1
        exact.hits += 1


rough, exact = fthreadprof.benign(Statistics()), Statistics()
threads = [threading.Thread(target=serve) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(rough.hits > 0, exact.hits > 0)
