# What: two threads read one cache, and each read moves a node of its linked list to the front, without a lock.
# Release: pylru 1.2.1
# Issue: jlhutch/pylru 18
# requires: pylru==1.2.1
# expect-one-of: lost-update lrucache.head | data-race lrucache.head | data-race _dlnode.next | data-race _dlnode.prev
"""The list is corrupted; later it has KeyErrors and AttributeErrors."""

import threading

import pylru

cache = pylru.lrucache(50)
for number in range(50):
    cache[number] = str(number)
both_are_here = threading.Barrier(2)


def read():
    both_are_here.wait()
    for number in range(50):
        try:
            cache[number]  # noqa: B018
        except (AttributeError, KeyError):
            pass


threads = [threading.Thread(target=read) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
