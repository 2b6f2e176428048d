"""Has threads that are seen with another stack about every millisecond: what a recording compresses worst.

bench_memory.py THREADS: each goes down one of 2 ** DEPTH ways at random and sleeps there for about a
millisecond, which leaves a profiler the CPU time to keep up.
"""

import random
import signal
import sys
import threading
import time

import target

DEPTH = 10
LONGEST_SLEEP_S = 0.002


def left(way, depth, seconds):
    go(way >> 1, depth - 1, seconds)


def right(way, depth, seconds):
    go(way >> 1, depth - 1, seconds)


def go(way, depth, seconds):
    if not depth:
        time.sleep(seconds)
    elif way & 1:
        left(way, depth, seconds)
    else:
        right(way, depth, seconds)


def work(seed):
    own = random.Random(seed)
    while True:
        go(own.getrandbits(DEPTH), DEPTH, own.random() * LONGEST_SLEEP_S)


if __name__ == "__main__":
    for i in range(int(sys.argv[1])):
        threading.Thread(target=work, args=(i,), name=f"worker-{i}", daemon=True).start()
    target.ready()
    signal.pause()
