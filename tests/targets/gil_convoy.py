"""One thread has the GIL for long at a time in `hog`, two ask for it now and then in `asks`, and count
what they waited.

At the end it says which part of the time of `asks` that was, and how often a second they asked."""

import statistics
import threading
import time

import target

SLEEP = 0.002


def hog():
    while not target.stopped:
        sum(range(200_000))  # C code that has the GIL all the while


def time_of_a_sleep():
    start = time.perf_counter()
    time.sleep(SLEEP)
    return time.perf_counter() - start


def asks(waited, asked, alone):
    began = time.perf_counter()
    total = times = 0
    while not target.stopped:
        times += 1
        start = time.perf_counter()
        time.sleep(SLEEP)
        total += time.perf_counter() - start - alone
    seconds = time.perf_counter() - began
    waited.append(total / seconds)
    asked.append(times / seconds)


if __name__ == "__main__":
    target.stop_on_sigterm()
    alone = statistics.median(time_of_a_sleep() for _ in range(200))  # with nobody to wait for
    threads = [threading.Thread(target=hog, name="hog")]
    waited, asked = [], []
    threads += [
        threading.Thread(target=asks, args=(waited, asked, alone), name=f"asks-{i}")
        for i in range(2)
    ]
    for thread in threads:
        thread.start()
    target.ready()
    for thread in threads:
        thread.join()
    target.finish(waited=sum(waited) / len(waited), asked_per_s=sum(asked))
