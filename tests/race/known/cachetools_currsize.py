# What: a cache whose entries several threads replace without a lock loses updates of its `currsize`.
# Release: cachetools 5.5.0
# Issue: tkem/cachetools 80, 90, 115, 288 (the KeyErrors of the same missing lock)
# requires: cachetools==5.5.0
# expect-one-of: lost-update LRUCache._Cache__currsize | data-race LRUCache._Cache__currsize
"""Cache.__setitem__ does `self.__currsize += diffsize`; from then on the cache is too full, or too empty."""

import threading

import cachetools

cache = cachetools.LRUCache(maxsize=10000, getsizeof=len)
for key in range(100):
    cache[key] = "x"
both_are_here = threading.Barrier(2)


def replace(first):
    both_are_here.wait()
    for key in range(first, first + 50):
        cache[key] = "xyz"


threads = [threading.Thread(target=replace, args=(first,)) for first in (0, 50)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
