"""Keeps threads busy at a depth, main waits: for how fast a pass can be.

bench_spin.py THREADS DEPTH [calls]: the innermost frame loops, and with `calls` calls a function all
the time.
"""

import signal
import sys
import threading

import target


def step(x):
    return x + 1


def spin_calling():
    x = 0
    while True:
        x = step(x)


def spin():
    x = 0
    while True:
        x += 1
        x -= 1


def descend(depth, innermost):
    if depth > 1:
        descend(depth - 1, innermost)
    else:
        innermost()


if __name__ == "__main__":
    # Parked in signal.pause, so SIGTERM's default action ends it, busy threads and all.
    thread_count, depth = int(sys.argv[1]), int(sys.argv[2])
    innermost = spin_calling if sys.argv[3:] == ["calls"] else spin
    sys.setrecursionlimit(depth + 1000)
    threading.stack_size(256 << 20 if depth > 1000 else 0)
    # threading's own frames, _bootstrap and run, and the innermost one count too.
    for _ in range(thread_count):
        threading.Thread(target=descend, args=(depth - 4, innermost), daemon=True).start()
    target.ready()
    signal.pause()
