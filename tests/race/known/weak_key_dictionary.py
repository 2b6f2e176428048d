# What: one thread iterates over a WeakKeyDictionary, another adds to it.
# Release: CPython 3.13.5, weakref.py
# Issue: python/cpython 98937
# expect: iteration WeakKeyDictionary.data
"""RuntimeError: dictionary changed size during iteration."""

import threading
import weakref


class Session:
    pass


sessions = weakref.WeakKeyDictionary()
all_sessions = [Session() for _ in range(200)]
for session in all_sessions[:100]:
    sessions[session] = "open"
both_are_here = threading.Barrier(2)


def connect():
    both_are_here.wait()
    for session in all_sessions[100:]:
        sessions[session] = "open"


def show():
    both_are_here.wait()
    for _ in range(20):
        try:
            for _session in sessions:
                pass
        except RuntimeError:
            pass


threads = [threading.Thread(target=connect), threading.Thread(target=show)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
