# What: several threads read the lines of one file anew; each tests `filename in cache` before it takes the entry out.
# Release: CPython 3.13.5, linecache.py
# Issue: python/cpython 133253
# options: --include linecache.py
# expect: check-then-act cache
"""The reproducer of the issue, smaller: KeyError in updatecache()."""

import linecache
import os
import threading

ROUNDS = 10
linecache.getline(os.__file__, 1)
everyone_is_here = threading.Barrier(3)


def show_line():
    for _ in range(ROUNDS):
        everyone_is_here.wait()
        try:
            linecache.updatecache(os.__file__)
        except KeyError:
            pass


threads = [threading.Thread(target=show_line) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
