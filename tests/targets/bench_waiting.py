"""Has many threads that mostly wait: on an event, for a queue, asleep; each works a little now and then.

bench_waiting.py THREADS
"""

import queue
import random
import signal
import sys
import threading
import time

import target

LONGEST_WAIT_S = 1.0
WORK = 500  # rounds of a loop each time: some ten microseconds

never = threading.Event()
empty = queue.Queue()


def wait_for_event(seconds):
    never.wait(seconds)


def wait_for_queue(seconds):
    try:
        empty.get(timeout=seconds)
    except queue.Empty:
        pass


def work():
    total = 0
    for i in range(WORK):
        total += i * i
    return total


def serve(wait, seed):
    own = random.Random(seed)
    while True:
        wait(own.random() * LONGEST_WAIT_S)
        work()


if __name__ == "__main__":
    waits = [wait_for_event, wait_for_queue, time.sleep]
    for i in range(int(sys.argv[1])):
        wait = waits[i % len(waits)]
        threading.Thread(target=serve, args=(wait, i), name=f"waiter-{i}", daemon=True).start()
    target.ready()
    signal.pause()
