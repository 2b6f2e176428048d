# The threads fill different elements.
import threading

bins = [0] * 10


def fill(values):
    for value in values:
        bins[value // 10] += 1


first = threading.Thread(target=fill, args=(range(0, 50),))
second = threading.Thread(target=fill, args=(range(50, 100),))
first.start()
second.start()
first.join()
second.join()
print(bins)
