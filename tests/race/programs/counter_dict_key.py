# expect: lost-update counts['the']
import threading

counts = {}


def count(words):
    for word in words:
        counts[word] = counts.get(word, 0) + 1


pages = [["the"] * 40, ["the"] * 40]
readers = [threading.Thread(target=count, args=(page,)) for page in pages]
for reader in readers:
    reader.start()
for reader in readers:
    reader.join()
print(counts)
