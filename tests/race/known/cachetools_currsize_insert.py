# What: the same as cachetools_currsize.py, with keys that are new to the cache.
# Release: cachetools 5.5.0
# Issue: tkem/cachetools 80, 90, 115, 288 (the KeyErrors of the same missing lock)
# requires: cachetools==5.5.0
# expect-one-of: lost-update LRUCache._Cache__currsize | data-race LRUCache._Cache__currsize
"""Cache.__setitem__ does `self.__currsize += diffsize`."""

import threading

import cachetools

cache = cachetools.LRUCache(maxsize=10000)
both_are_here = threading.Barrier(2)


def fill(first):
    both_are_here.wait()
    for number in range(first, first + 300):
        cache[number] = str(number)


threads = [threading.Thread(target=fill, args=(first,)) for first in (0, 1000)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
