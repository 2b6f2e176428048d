"""A small threaded log analyser, for `tools/demo` to show: main makes batches of log lines and feeds a queue,
four workers parse them, look clients up in a cache behind a lock, and aggregate. Now and then a thread that tidies the
cache up has that lock for long: the workers wait.

Usage: demo_server.py [SECONDS]. Says "ready" when the workers are busy.
"""

import operator
import queue
import random
import re
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

WORKERS = 4
BATCH = 200
LINE = re.compile(r'(\S+) \[(\d+)\] "(\w+) ([^"]*)" (\d{3}) (\d+)')


class ClientCache:
    """What is known about a client, worked out once: shared by all workers, guarded by a lock."""

    def __init__(self, size):
        self._size = size
        self._lock = threading.Lock()
        self._clients = {}

    def lookup(self, addresses):
        """The kind of each client; one visit to the lock for all of them, not one for each."""
        with self._lock:
            known = {a: self._clients[a] for a in addresses if a in self._clients}
        new = {a: self._classify(a) for a in addresses if a not in known}
        if new:
            with self._lock:
                if len(self._clients) > self._size:
                    self._clients.clear()
                self._clients.update(new)
        return known | new

    def tidy_up(self, stop):
        """Sorts the cache by kind, with the lock: the mistake that the demo finds."""
        while not stop.wait(0.01):
            with self._lock:
                for _ in range(30):
                    ordered = sorted(self._clients.items(), key=operator.itemgetter(1, 0))
                self._clients = dict(ordered)

    @staticmethod
    def _classify(address):
        score = 0
        for _ in range(40):
            for part in address.split("."):
                score = (score * 31 + int(part)) % 1_000_003
        return "robot" if score % 3 == 0 else "person"


def make_batch(generator):
    """Log lines as a server writes them."""
    return [
        f"10.0.{generator.randrange(16)}.{generator.randrange(256)} [{n}] "
        f'"GET /shop/{generator.randrange(50)}?page={generator.randrange(9)}" '
        f"{generator.choice((200, 200, 200, 404, 500))} {generator.randrange(100_000)}"
        for n in range(BATCH)
    ]


def parse_line(line):
    address, _, method, url, status, size = LINE.match(line).groups()
    path, _, query = url.partition("?")
    return address, method, path, query, int(status), int(size)


def percentile(sizes, share):
    ordered = sorted(sizes)
    return ordered[int(len(ordered) * share)]


def analyse_batch(lines, cache):
    visits, errors, sizes = Counter(), Counter(), []
    parsed = [parse_line(line) for line in lines]
    clients = cache.lookup({address for address, *_ in parsed})
    for address, _, path, _, status, size in parsed:
        visits[path, clients[address]] += 1
        if status >= 400:
            errors[path] += 1
        sizes.append(size)
    return visits, errors, percentile(sizes, 0.95)


def work(batches, cache):
    """A worker: takes batches until it is given None."""
    analysed = 0
    while (lines := batches.get()) is not None:
        analyse_batch(lines, cache)
        analysed += len(lines)
    return analysed


def feed(batches, seconds):
    """Keeps the queue filled from a few prepared batches."""
    generator = random.Random(1)
    prepared = [make_batch(generator) for _ in range(20)]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        batches.put(generator.choice(prepared))
    for _ in range(WORKERS):
        batches.put(None)


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 15
    batches = queue.Queue(maxsize=4 * WORKERS)
    cache = ClientCache(size=2000)
    stop = threading.Event()
    janitor = threading.Thread(target=cache.tidy_up, args=(stop,), name="janitor")
    janitor.start()
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="worker") as pool:
        workers = [pool.submit(work, batches, cache) for _ in range(WORKERS)]
        print("ready", flush=True)
        feed(batches, seconds)
        print(sum(worker.result() for worker in workers), "lines analysed")
    stop.set()
    janitor.join()


if __name__ == "__main__":
    main()
