"""Spins in two threads and in main, each `outer;inner`; the usual target where stacks do not matter.

spin.py [THREADS]: that many threads besides main.
"""

import sys
import threading

import target


# Many spinning threads on few cores take minutes to start another one.
all_started = threading.Event()


def inner():
    x = 0
    for i in range(2000):
        x += i * i


def outer():
    all_started.wait()
    while not target.stopped:
        inner()


if __name__ == "__main__":
    target.stop_on_sigterm()
    threads = [
        threading.Thread(target=outer, name=f"spinner-{i}")
        for i in range(int(sys.argv[1]) if sys.argv[1:] else 2)
    ]
    for thread in threads:
        thread.start()
    all_started.set()
    target.ready()
    outer()
    for thread in threads:
        thread.join()
