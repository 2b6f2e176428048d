# What: two threads fill and discard `linecache.cache`, each testing `filename in cache` before it uses the entry.
# Release: CPython 3.13.5, linecache.py
# Issue: python/cpython 133253
# options: --include linecache.py
# expect: check-then-act cache
"""The reproducer of the issue, smaller: KeyError in updatecache()."""

import linecache
import os
import threading

FILES = [os.__file__, threading.__file__, linecache.__file__]
everyone_is_here = threading.Barrier(4)


def show_lines():
    everyone_is_here.wait()
    for _ in range(10):
        for file in FILES:
            try:
                linecache.getline(file, 1)
            except KeyError:
                pass
            linecache.cache.pop(file, None)


threads = [threading.Thread(target=show_lines) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
