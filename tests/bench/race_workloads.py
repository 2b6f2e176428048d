"""Programs whose cost under the race detector is measured: python race_workloads.py NAME MODE SIZE

MODE is "alone" (no second thread ever), or how many threads run the program at once, each with data
of its own, while the main thread waits. Prints the seconds that it took, of the clock and of
all threads' CPUs, and the peak of the resident memory in KiB, as JSON. Called by race_bench.py.
"""

import json
import re
import sys
import threading
import time

import container_workloads as containers

# --- richards: a scheduler of tasks that send each other packets. Methods and attributes.


class Packet:
    def __init__(self, link, destination, kind):
        self.link = link
        self.destination = destination
        self.kind = kind
        self.datum = 0
        self.data = [0] * 4

    def append_to(self, queue):
        self.link = None
        if queue is None:
            return self
        last = queue
        while last.link is not None:
            last = last.link
        last.link = self
        return queue


class Task:
    def __init__(self, name, priority, handler):
        self.name = name
        self.priority = priority
        self.handler = handler
        self.queue = None
        self.runs = 0

    def take(self):
        packet = self.queue
        if packet is not None:
            self.queue = packet.link
        return packet


class Scheduler:
    def __init__(self):
        self.tasks = []
        self.passed = 0
        self.seed = 74755

    def random(self):
        self.seed = (self.seed * 1309 + 13849) & 65535
        return self.seed

    def add(self, name, priority, handler):
        self.tasks.append(Task(name, priority, handler))
        self.tasks.sort(key=lambda task: -task.priority)

    def find(self, name):
        for task in self.tasks:
            if task.name == name:
                return task
        raise KeyError(name)

    def send(self, packet, name):
        task = self.find(name)
        task.queue = packet.append_to(task.queue)
        self.passed += 1

    def run(self, rounds):
        for _ in range(rounds):
            for task in self.tasks:
                task.runs += 1
                task.handler(self, task)


def idle_task(scheduler, task):
    target = "worker" if scheduler.random() & 1 else "device"
    scheduler.send(Packet(None, target, task.runs & 1), target)


def worker_task(scheduler, task):
    while (packet := task.take()) is not None:
        for index in range(len(packet.data)):
            packet.data[index] = (packet.data[index] + task.runs + index) % 26
        scheduler.send(packet, "device")


def device_task(scheduler, task):
    while (packet := task.take()) is not None:
        packet.datum += sum(packet.data)
        if packet.kind and packet.datum < 40:
            packet.kind = 0
            scheduler.send(packet, "worker")


def richards(size):
    scheduler = Scheduler()
    scheduler.add("idle", 0, idle_task)
    scheduler.add("worker", 1000, worker_task)
    scheduler.add("worker2", 900, device_task)
    scheduler.add("device", 2000, device_task)
    scheduler.run(size)
    return scheduler.passed


# --- parser: a recursive descent parser of JSON in Python. Strings, dicts, lists, calls.

TOKEN = re.compile(r'\s*(?:([{}\[\],:])|"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?)|(true|false|null))')
CONSTANTS = {"true": True, "false": False, "null": None}


class Parser:
    def __init__(self, text):
        self.text = text
        self.position = 0
        self.advance()

    def advance(self):
        match = TOKEN.match(self.text, self.position)
        if match is None:
            self.kind = self.value = None
            return
        self.position = match.end()
        self.kind = match.lastindex
        self.value = match.group(self.kind)

    def parse(self):
        kind, value = self.kind, self.value
        self.advance()
        if kind == 2:
            return value
        if kind == 3:
            return float(value) if "." in value else int(value)
        if kind == 4:
            return CONSTANTS[value]
        return self.parse_object() if value == "{" else self.parse_array()

    def parse_object(self):
        result = {}
        while self.value != "}" or self.kind != 1:
            key = self.parse()
            self.advance()  # the colon
            result[key] = self.parse()
            if self.value == "," and self.kind == 1:
                self.advance()
        self.advance()
        return result

    def parse_array(self):
        result = []
        while self.value != "]" or self.kind != 1:
            result.append(self.parse())
            if self.value == "," and self.kind == 1:
                self.advance()
        self.advance()
        return result


def parser(size):
    document = {
        "orders": [
            {"id": n, "total": n / 4, "tags": ["a", "b", str(n)], "paid": n % 2 == 0, "note": None}
            for n in range(50)
        ]
    }
    text = json.dumps(document)
    for _ in range(size):
        parsed = Parser(text).parse()
        if parsed != document:
            raise AssertionError("parsed wrongly")
    return len(text)


# --- index: an inverted index of words and a sieve. Elements of dicts and lists.


def index(size):
    words = ["word%d" % (n * n % 997) for n in range(400)]
    postings, counts = {}, {}
    for page in range(size):
        for place, word in enumerate(words):
            counts[word] = counts.get(word, 0) + 1
            pages = postings.setdefault(word, [])
            if not pages or pages[-1] != page:
                pages.append(page)
    best = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
    limit = 150 * size
    is_prime = [True] * limit
    for number in range(2, int(limit**0.5) + 1):
        if is_prime[number]:
            for multiple in range(number * number, limit, number):
                is_prime[multiple] = False
    return len(best) + sum(is_prime)


# --- trees: binary trees that are made, walked and dropped. Allocation.


class Node:
    def __init__(self, left, right):
        self.left = left
        self.right = right


def make_tree(depth):
    if depth == 0:
        return Node(None, None)
    return Node(make_tree(depth - 1), make_tree(depth - 1))


def count_nodes(node):
    return 1 if node.left is None else 1 + count_nodes(node.left) + count_nodes(node.right)


def trees(size):
    kept = make_tree(12)
    total = 0
    for depth in range(4, 11, 2):
        for _ in range(size << (10 - depth)):
            total += count_nodes(make_tree(depth))
    return total + count_nodes(kept)


# --- queens: solutions by generators of permutations. Frames that come and go.


def permutations(items):
    if len(items) <= 1:
        yield items
        return
    for place in range(len(items)):
        for rest in permutations(items[:place] + items[place + 1 :]):
            yield [items[place], *rest]


def queens(size):
    found = 0
    for _ in range(size):
        for columns in permutations(list(range(6))):
            diagonals = {column + row for row, column in enumerate(columns)}
            others = {column - row for row, column in enumerate(columns)}
            found += len(diagonals) == len(others) == 6
    return found


# --- template: pages of text from rows. Strings.


def render(row):
    cells = ["<td>%s</td>" % str(cell).replace("&", "&amp;").title() for cell in row]
    return "<tr>" + "".join(cells) + "</tr>"


def template(size):
    total = 0
    for number in range(size):
        rows = [[number, column, f"{number}&{column}", "x" * (column % 7)] for column in range(40)]
        page = "\n".join(render(row) for row in rows)
        total += len(page.split("\n")) + page.count("&amp;")
    return total


# --- bank: transfers between accounts that all threads share, under locks.


class Account:
    def __init__(self, balance):
        self.lock = threading.Lock()
        self.balance = balance


ACCOUNTS = [Account(1000) for _ in range(16)]
AUDIT_LOCK = threading.RLock()
AUDIT = {"transfers": 0}


def bank(size):
    for number in range(size):
        first, second = number * 7 % 16, number * 11 % 16
        if first == second:
            continue
        source, target = ACCOUNTS[min(first, second)], ACCOUNTS[max(first, second)]
        with source.lock:
            with target.lock:
                source.balance -= number % 10
                target.balance += number % 10
        if number % 4 == 0:
            with AUDIT_LOCK:
                AUDIT["transfers"] += 4
    with AUDIT_LOCK:
        return AUDIT["transfers"]


# --- search: depth first through a graph, deep recursion with a path.


class Search:
    def __init__(self, width):
        self.edges = {n: [n + 1, (n * 7 + 3) % width] for n in range(width)}
        self.edges[width - 1] = []
        self.seen = set()
        self.depth = 0

    def visit(self, node, path):
        self.seen.add(node)
        path.append(node)
        if len(path) > self.depth:
            self.depth = len(path)
        for neighbour in self.edges[node]:
            if neighbour not in self.seen:
                self.visit(neighbour, path)
        path.pop()


def search(size):
    depth = 0
    for _ in range(size):
        graph = Search(500)
        graph.visit(0, [])
        depth += graph.depth
    return depth


# --- running them

# How much each does for about a third of a second on the plain interpreter.
WORKLOADS = {
    richards: 30000,
    parser: 150,
    index: 1000,
    trees: 60,
    queens: 110,
    template: 2000,
    bank: 300000,
    search: 500,
    containers.shingles: 28,
    containers.flood: 300,
    containers.picture: 45,
    containers.cache: 250000,
    containers.routes: 500,
    containers.pipeline: 250,
    containers.archive: 250,
    containers.service: 9000,
    containers.relay: 500000,
    containers.crumbs: 100000,
}


def run(workload, mode, size):
    if mode == "alone":
        workload(size)
        return
    threads = [threading.Thread(target=workload, args=(size,)) for _ in range(int(mode))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def peak_memory_kib():
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    raise LookupError("VmHWM")


def main():
    name, mode, scale = sys.argv[1], sys.argv[2], float(sys.argv[3])
    workload, size = next((w, size) for w, size in WORKLOADS.items() if w.__name__ == name)
    start, cpu_start = time.perf_counter(), time.process_time()
    run(workload, mode, max(1, int(size * scale)))
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    result = {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_kib": peak_memory_kib()}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
