# Each thread counts in a dict of its own; they are added up when all have ended.
import threading


class Reader(threading.Thread):
    def __init__(self, words):
        super().__init__()
        self.words = words
        self.counts = {}

    def run(self):
        for word in self.words:
            self.counts[word] = self.counts.get(word, 0) + 1


readers = [Reader(["the"] * 40), Reader(["the"] * 40)]
for reader in readers:
    reader.start()
counts = {}
for reader in readers:
    reader.join()
    for word, number in reader.counts.items():
        counts[word] = counts.get(word, 0) + number
print(counts)
