"""Has threads whose stacks change all the time, and that leave the CPU time enough for a profiler to keep up.

bench_memory.py THREADS: what each runs is in chains.py; between two rounds it sleeps with the stack it
happens to have.
"""

import random
import signal
import sys
import threading
import time

import chains
import target

LONGEST_SLEEP_S = 0.04
CALLS = [value for name, value in vars(chains).items() if name.startswith("run_")]


def sleep_inside(depth, seconds):
    if depth:
        sleep_inside(depth - 1, seconds)
    else:
        time.sleep(seconds)


def work(seed):
    own = random.Random(seed)
    while True:
        for call in CALLS:
            call(own.randrange(chains.DEPTH))
        sleep_inside(own.randrange(chains.DEPTH), own.random() * LONGEST_SLEEP_S)


if __name__ == "__main__":
    for i in range(int(sys.argv[1])):
        threading.Thread(target=work, args=(i,), name=f"worker-{i}", daemon=True).start()
    target.ready()
    signal.pause()
