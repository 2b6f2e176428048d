# expect: unsafe Feed.pairs
import threading


class Feed:
    def __init__(self):
        self.pairs = zip(range(10), "abcdefghij")

    def take(self):
        return next(self.pairs, None)


feed = Feed()
threads = [threading.Thread(target=feed.take) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(feed.take()[0] < 3)
