# Each thread has an iterator of its own.
import threading


class Feed:
    def __init__(self):
        self.letters = "abcdefghij"

    def take(self):
        return next(zip(range(10), self.letters), None)


feed = Feed()
threads = [threading.Thread(target=feed.take) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(feed.take()[0])
