"""Starts 1,000 threads a second, each sleeping 4 ms: thread churn-N is N % 7 + 1 calls of body() deep."""

import threading
import time

import target

RATE = 1000
DEPTHS = 7


def body(n):
    if n:
        body(n - 1)
    else:
        time.sleep(0.004)  # the innermost line


if __name__ == "__main__":
    target.stop_on_sigterm()
    started = 0
    target.ready()
    begin = time.perf_counter()
    while not target.stopped:
        threading.Thread(target=body, args=(started % DEPTHS,), name=f"churn-{started}").start()
        started += 1
        time.sleep(max(0, begin + started / RATE - time.perf_counter()))
    target.finish(started=started, seconds=time.perf_counter() - begin)
