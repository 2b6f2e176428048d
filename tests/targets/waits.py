"""Threads that wait for a lock, and time themselves how long.

waits.py lock|rlock|short|dict|condition|blame|rblame|deadlock

lock, rlock: two threads, each holds the lock for about 2 ms and computes for about 1 ms without.
short: the same with about 20 us, a lock that is contended all the time.
dict: two threads store into a dict that a third one copies, which takes milliseconds each time
(free-threaded builds: the dict's own lock is what they wait for).
condition: threads that wait for an event, with nobody in their way.
blame, rblame: one thread has a Lock, or an RLock, for about four fifths of the time in `evict`, two
ask for it now and then in `get`; another one is inside `with` on a lock of its own all the time.
Prints as `by` the share of their waiting that began while `evict` had it, else another `get`.
deadlock: two threads wait for each other for ever; it ends when it is killed.

Prints for each thread by its name the share of the time that it waited, and as `queued` the shares
that each spent waiting for a CPU, which may be part of that.
"""

import signal
import sys
import threading
import time

import target

now = time.perf_counter


def compute(seconds):
    end = now() + seconds
    while now() < end:
        pass


def queued_s():
    with open("/proc/thread-self/schedstat") as file:
        return int(file.read().split()[1]) / 1e9


def contend(lock, hold_s, rest_s):
    waited, began = 0.0, now()
    while not target.stopped:
        asked = now()
        with lock:
            waited += now() - asked
            compute(hold_s)
        compute(rest_s)
    return waited / (now() - began)


def store(shared):
    waited, began = 0.0, now()
    while not target.stopped:
        asked = now()
        shared["key"] = 1
        waited += now() - asked
        compute(0.001)
    return waited / (now() - began)


def copy(shared):
    while not target.stopped:
        shared.copy()
    return 0.0


class Cache:
    """A lock that says who has it, for the truth: written by whoever has it only."""

    def __init__(self, lock):
        self.lock = lock
        self.has_it = "nobody"
        self.waited = {"evict": 0.0, "get": 0.0, "nobody": 0.0}

    def evict(self):
        while not target.stopped:
            with self.lock:
                self.has_it = "evict"
                compute(8e-3)
                self.has_it = "nobody"
            time.sleep(2e-3)
        return 0.0

    def get(self):
        waited, began = 0.0, now()
        while not target.stopped:
            asked, before = now(), self.has_it
            with self.lock:
                got = now()
                self.has_it = "get"
                waited += got - asked
                self.waited[before] += got - asked
                compute(200e-6)
                self.has_it = "nobody"
            time.sleep(1e-3)
        return waited / (now() - began)


def stand_by(lock):
    with lock:
        while not target.stopped:
            time.sleep(1e-3)
    return 0.0


def take_both(first, second, both_have_one):
    with first:
        both_have_one.wait()
        with second:
            pass


def deadlock():
    locks, both_have_one = [threading.Lock(), threading.Lock()], threading.Barrier(3)
    for i, name in enumerate("ab"):
        arguments = (locks[i], locks[1 - i], both_have_one)
        threading.Thread(target=take_both, args=arguments, name=name, daemon=True).start()
    both_have_one.wait()
    time.sleep(0.2)  # they have another line to go
    target.ready()
    signal.pause()


def wait_for_event(event):
    while not target.stopped:
        event.wait(0.2)
    return 1.0


def workers(mode, truth):
    if mode == "dict":
        shared = dict.fromkeys(range(1_000_000))
        shared["key"] = 0
        return {"copier": (copy, shared), "a": (store, shared), "b": (store, shared)}
    if mode == "condition":
        return {name: (wait_for_event, threading.Event()) for name in "ab"}
    if mode in ("blame", "rblame"):
        make = threading.Lock if mode == "blame" else threading.RLock
        cache = Cache(make())
        truth["by"] = cache.waited
        return {
            "a": (cache.get,),
            "b": (cache.get,),
            "evictor": (cache.evict,),
            "bystander": (stand_by, make()),
        }
    lock = threading.RLock() if mode == "rlock" else threading.Lock()
    hold, rest = (20e-6, 10e-6) if mode == "short" else (2e-3, 1e-3)
    return {name: (contend, lock, hold, rest) for name in "ab"}


def main():
    if sys.argv[1] == "deadlock":
        deadlock()
    target.stop_on_sigterm()
    shares, queued, truth = {}, {}, {}

    def run(name, function, *arguments):
        began, queued_before = now(), queued_s()
        shares[name] = function(*arguments)
        queued[name] = (queued_s() - queued_before) / (now() - began)

    threads = [
        threading.Thread(target=run, args=(name, *work), name=name)
        for name, work in workers(sys.argv[1], truth).items()
    ]
    for thread in threads:
        thread.start()
    target.ready()
    while not target.stopped:
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    target.finish(queued=queued, **truth, **shares)


if __name__ == "__main__":
    main()
