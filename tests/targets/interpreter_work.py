"""What the interpreter does, and what the kernel, that threads wait for, timed by the threads themselves.

interpreter_work.py gc|stops|pipe

gc: `collect` collects garbage, about half of the time.
stops: `stop` has all threads stopped (free-threaded builds) about half of the time, by a function that
walks all objects; two others compute.
pipe: two threads read from pipes that `write` writes to now and then.

Prints for each thread by its name the share of the time that it spent so, and as `queued` the share in
which it waited for a CPU.
"""

import gc
import os
import sys
import threading
import time

import target
from waits import compute, now, queued_s


def half_of_the_time(work):
    spent, began = 0.0, now()
    while not target.stopped:
        started = now()
        work()
        took = now() - started
        spent += took
        time.sleep(took)
    return spent / (now() - began)


def collect():
    return half_of_the_time(gc.collect)


def stop():
    nothing = object()
    return half_of_the_time(lambda: gc.get_referrers(nothing))


def spin():
    while not target.stopped:
        compute(0.01)
    return 0.0


def read(fd):
    waited, began = 0.0, now()
    while not target.stopped:
        asked = now()
        os.read(fd, 1)
        waited += now() - asked
        compute(0.001)
    return waited / (now() - began)


def write(fds):
    while not target.stopped:
        time.sleep(0.003)
        for fd in fds:
            os.write(fd, b"x")
    for fd in fds:
        os.write(fd, b"x")
    return 0.0


def workers(mode):
    if mode == "pipe":
        pipes = [os.pipe() for _ in "ab"]
        readers = {name: (read, pipes[i][0]) for i, name in enumerate("ab")}
        return {**readers, "writer": (write, [out for _, out in pipes])}
    if mode == "gc":
        return {"collector": (collect,)}
    return {"stopper": (stop,), "a": (spin,), "b": (spin,)}


def main():
    target.stop_on_sigterm()
    graph = [[i] for i in range(300_000)]  # for the collector to go through
    shares, queued = {}, {}

    def run(name, function, *arguments):
        began, queued_before = now(), queued_s()
        shares[name] = function(*arguments)
        queued[name] = (queued_s() - queued_before) / (now() - began)

    threads = [
        threading.Thread(target=run, args=(name, *work), name=name)
        for name, work in workers(sys.argv[1]).items()
    ]
    for thread in threads:
        thread.start()
    target.ready()
    for thread in threads:
        thread.join()
    target.finish(queued=queued, objects=len(graph), **shares)


if __name__ == "__main__":
    main()
