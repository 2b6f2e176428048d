# What: two threads are the first to use a `functools.cached_property`: each computes it, and has an object of its own.
# Release: CPython 3.13.5, functools.py (the lock was removed in 3.12)
# Issue: python/cpython 87634
# options:
# expect: check-then-act Settings.values
"""Who relied on "once" gets two objects."""

import functools
import threading

both_compute = threading.Barrier(2)


class Settings:
    @functools.cached_property
    def values(self):
        both_compute.wait()
        return object()


settings = Settings()


def read():
    settings.values  # noqa: B018


threads = [threading.Thread(target=read) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
