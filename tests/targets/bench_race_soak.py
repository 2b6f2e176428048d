"""A server of a kind that works for as long as it is told, with all that `fthreadprof race` tracks, and no race.

bench_race_soak.py SECONDS: 16 threads. Twelve take requests from a queue, whose users, sessions and entries are ever
new ones, and keep the latest in containers that they share under locks; four live for a moment each and are
followed by others. Everything else comes and goes with its request. Prints its pid, and at its end what it did.
"""

import array
import collections
import concurrent.futures
import heapq
import itertools
import json
import os
import pickle
import queue
import random
import sys
import threading
import time
import weakref

SERVERS, VISITORS = 12, 4
KEPT = 300  # of each kind
VISIT_S = 0.2  # what a visitor lives for, on average
PAUSE_S = 0.004  # after each request, on average


class Session:
    __slots__ = ("__weakref__", "closed", "lock", "number", "words")

    def __init__(self, number):
        self.number = number
        self.lock = threading.Lock()
        self.words = collections.Counter()
        self.closed = False

    def __del__(self):
        self.closed = True


class Shared:
    """What is kept of the latest requests, each kind in a container of its own, all under one lock."""

    def __init__(self):
        self.lock = threading.RLock()
        self.sessions = {}
        self.cache = collections.OrderedDict()
        self.online = set()
        self.log = collections.deque(maxlen=KEPT)
        self.arrived = collections.deque()
        self.timers = []
        self.recent = []
        self.octets = bytearray(4096)
        self.sizes = array.array("L", bytes(8 * 64))
        self.known = weakref.WeakValueDictionary()
        self.handled = 0

    def session_of(self, number):
        with self.lock:
            session = self.sessions.get(number)
            if session is None:
                session = self.sessions[number] = Session(number)
                self.known[number] = session
            return session

    def keep(self, number, answer):
        with self.lock:
            self.handled += 1
            self.online.add(number)
            self.log.append(answer)
            self.arrived.append(number)
            self.cache[number, len(answer)] = answer
            self.cache.move_to_end((number, len(answer)), last=True)
            self.recent.append(number)
            heapq.heappush(self.timers, (time.monotonic(), number))
            self.sizes[len(answer) % 64] += 1
            self.octets[number % 4096] = len(answer) & 255
            with memoryview(self.octets) as octets:
                octets[(number + 1) % 4096] = 0
            self.forget()

    def forget(self):
        while len(self.arrived) > KEPT:
            number = self.arrived.popleft()
            self.online.discard(number)
            self.sessions.pop(number, None)
            self.recent.pop(0)
            heapq.heappop(self.timers)
            self.cache.popitem(last=False)

    def look(self):
        with self.lock:
            return sum(self.sizes) + len(self.online | {-1}) + sum(len(text) for text in self.cache.values())


def answer_to(request):
    """Containers of one request: a dict, a list, a set, a deque, generators and closures, to and from bytes."""
    words = request["text"].split()
    waiting, lengths = collections.deque(words), {}
    while waiting:
        word = waiting.popleft()
        lengths[word] = len(word)
        if word.endswith("s"):
            waiting.append(word[:-1])
    longest = heapq.nlargest(3, ((length, word) for word, length in lengths.items()))
    ranked = [word for _, word in itertools.islice(longest, 2)]
    copy = pickle.loads(pickle.dumps({"ranked": ranked, "all": set(lengths)}))
    return json.dumps({"user": request["user"], "ranked": copy["ranked"], "all": sorted(copy["all"])})


class Server:
    def __init__(self, seconds):
        self.ends = time.monotonic() + seconds
        self.shared = Shared()
        self.requests = queue.Queue(maxsize=64)
        self.done = queue.SimpleQueue()
        self.numbers = itertools.count()
        self.room = threading.Semaphore(4)
        self.threads = 0

    def serve(self):
        own = random.Random(threading.get_ident())
        while (request := self.requests.get()) is not None:
            number = request["user"]
            session = self.shared.session_of(number)
            with session.lock:
                session.words.update(request["text"].split())
            self.shared.keep(number, answer_to(request))
            request["answered"].set()
            self.done.put(request)
            self.requests.task_done()
            if number % 97 == 0:
                self.shared.look()
            time.sleep(own.random() * 2 * PAUSE_S)

    def visit(self, seconds):
        own, ends = random.Random(seconds), time.monotonic() + seconds
        while time.monotonic() < ends:
            user = next(self.numbers)
            text = " ".join(f"word{own.randrange(1000)}s" for _ in range(12))
            request = {"user": user, "text": text, "answered": threading.Event()}
            with self.room:
                self.requests.put(request)
            request["answered"].wait()
            self.done.get()
            time.sleep(own.random() * 2 * PAUSE_S)

    def keep_up(self, visitors, order):
        for place, visitor in enumerate(visitors):
            if visitor is None or not visitor.is_alive():
                if visitor is not None:
                    visitor.join()
                visitors[place] = threading.Thread(
                    target=self.visit, args=(order.expovariate(1 / VISIT_S),)
                )
                visitors[place].start()
                self.threads += 1

    def run(self):
        servers = [threading.Thread(target=self.serve) for _ in range(SERVERS)]
        for server in servers:
            server.start()
        visitors, order, looks = [None] * VISITORS, random.Random(1), 0
        while time.monotonic() < self.ends:
            self.keep_up(visitors, order)
            looks += 1
            if looks % 50 == 0:
                with concurrent.futures.ThreadPoolExecutor(2) as pool:
                    list(pool.map(len, (["a"], {"b": 1}, {"c"})))
            time.sleep(0.02)
        for visitor in visitors:
            visitor.join()
        for _ in servers:
            self.requests.put(None)
        for server in servers:
            server.join()


def main():
    print(json.dumps({"pid": os.getpid()}), flush=True)
    server = Server(float(sys.argv[1]))
    server.run()
    print(json.dumps({"requests": server.shared.handled, "threads": server.threads + SERVERS}))


if __name__ == "__main__":
    main()
