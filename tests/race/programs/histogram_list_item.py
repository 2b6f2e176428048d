# expect: lost-update bins[3]
import threading

bins = [0] * 10


def fill(values):
    for value in values:
        bins[value // 10] += 1


first = threading.Thread(target=fill, args=(range(30, 40),))
second = threading.Thread(target=fill, args=(range(30, 40),))
first.start()
second.start()
first.join()
second.join()
print(bins)
