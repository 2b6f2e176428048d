import re
import threading


class Stats:
    def __init__(self):
        self.matches = 0
        self.lock = threading.Lock()


def match():
    re.match("a+b", "aab")
    with stats.lock:
        stats.matches += 1


stats = Stats()
threads = [threading.Thread(target=match) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(stats.matches)
