"""The workloads of race_workloads.py that are about containers: sets, deques, bytearrays and their like."""

import array
import collections
import heapq
import itertools
import json
import operator
import pickle
import queue
import threading

# --- shingles: texts that resemble each other. Sets: their elements, their operators.


def shingles_of(text, length=4):
    return {text[start : start + length] for start in range(len(text) - length + 1)}


class Resemblance:
    def __init__(self):
        self.pages = {}
        self.pages_with = {}
        self.seen = set()

    def add(self, name, text):
        shingles = shingles_of(text)
        candidates = set()
        for shingle in shingles:
            others = self.pages_with.setdefault(shingle, set())
            if len(others) < 8:
                candidates |= others
                others.add(name)
        candidates.discard(name)
        similar = [other for other in candidates if self.likeness(shingles, other) > 0.3]
        self.pages[name] = shingles
        for other in similar:
            pair = (other, name)
            if pair not in self.seen:
                self.seen.add(pair)
        return len(similar)

    def likeness(self, shingles, other):
        return len(shingles & self.pages[other]) / len(shingles | self.pages[other])


def shingles(size):
    found = 0
    for _ in range(size):
        pages = Resemblance()
        for number in range(30):
            text = " ".join(f"{number * word % 11}{word * word % 23}" for word in range(30))
            found += pages.add(number, text)
    return found


# --- flood: distances on a grid, breadth first, and a moving average of them. Deques.


class Grid:
    def __init__(self, width, height):
        self.width = width
        self.walls = {(x, y) for x in range(width) for y in range(height) if x * 7 % 5 == y % 4}
        self.free = {(x, y) for x in range(width) for y in range(height)} - self.walls

    def neighbours(self, place):
        x, y = place
        return ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1))

    def distances(self, start):
        distances = {start: 0}
        waiting = collections.deque([start])
        while waiting:
            place = waiting.popleft()
            for neighbour in self.neighbours(place):
                if neighbour in self.free and neighbour not in distances:
                    distances[neighbour] = distances[place] + 1
                    waiting.append(neighbour)
        return distances


def highest_average(numbers, length):
    last = collections.deque(maxlen=length)
    total = best = 0
    for number in numbers:
        if len(last) == length:
            total -= last[0]
        last.append(number)
        total += number
        best = max(best, total)
    return best


def flood(size):
    grid = Grid(24, 24)
    start = min(grid.free)
    return sum(highest_average(grid.distances(start).values(), 16) for _ in range(size))


# --- picture: filters of a grey picture. bytearray, array, memoryview.


class Picture:
    def __init__(self, width, height):
        self.width = width
        self.height = height
        self.pixels = bytearray((7 * place * place) & 255 for place in range(width * height))

    def histogram(self):
        counts = array.array("L", bytes(8 * 256))
        for pixel in self.pixels:
            counts[pixel] += 1
        return counts

    def equalised(self):
        reached = array.array("L", itertools.accumulate(self.histogram()))
        scale = bytes(255 * count // reached[-1] for count in reached)
        self.pixels = self.pixels.translate(scale)

    def blur_rows(self):
        with memoryview(self.pixels) as whole:
            for row in range(self.height):
                line = whole[row * self.width : (row + 1) * self.width]
                left = line[0]
                for column in range(1, self.width - 1):
                    here = line[column]
                    line[column] = (left + here + line[column + 1]) // 3
                    left = here

    def packed(self):
        packed = bytearray()
        for pixel, run in itertools.groupby(self.pixels):
            packed.append(pixel)
            packed += len(list(run)).to_bytes(2, "little")
        return packed


def picture(size):
    total = 0
    for _ in range(size):
        image = Picture(80, 60)
        image.equalised()
        image.blur_rows()
        total += len(image.packed())
    return total


# --- cache: the least recently used goes first. OrderedDict.


class Cache:
    def __init__(self, room):
        self.room = room
        self.entries = collections.OrderedDict()
        self.hits = self.misses = 0

    def get(self, key):
        if key in self.entries:
            self.entries.move_to_end(key)
            self.hits += 1
            return self.entries[key]
        self.misses += 1
        value = self.entries[key] = self.load(key)
        if len(self.entries) > self.room:
            self.entries.popitem(last=False)
        return value

    def load(self, key):
        return {"key": key, "text": f"entry {key}"}


def cache(size):
    entries = Cache(100)
    seed = length = 1
    for _ in range(size):
        seed = (seed * 1309 + 13849) & 65535
        length += len(entries.get((seed >> 3) % (seed % 200 + 1))["text"])
    return length + entries.hits


# --- routes: shortest ways through a network. heapq.


def make_network(size):
    return {
        town: [((town * step + 1) % size, 1 + town * step % 17) for step in (3, 5, 7)]
        for town in range(size)
    }


def routes_from(network, start):
    reached, heap = {}, [(0, start)]
    while heap:
        distance, town = heapq.heappop(heap)
        if town in reached:
            continue
        reached[town] = distance
        for neighbour, length in network[town]:
            if neighbour not in reached:
                heapq.heappush(heap, (distance + length, neighbour))
    return reached


def routes(size):
    network = make_network(300)
    farthest = [max(routes_from(network, start % 300).values()) for start in range(size)]
    return sum(heapq.nlargest(10, farthest))


# --- pipeline: lines of a log, filtered, grouped and summed up. Generators and iterators.


def lines_of(count):
    for number in range(count):
        yield f"{number // 50} {'GET' if number % 3 else 'POST'} /page/{number % 40} {number * 7 % 900}"


def parsed(lines):
    for line in lines:
        minute, method, path, size = line.split()
        yield int(minute), method, path, int(size)


def with_totals(records):
    total = 0
    for record in records:
        total += record[3]
        yield (*record, total)


def pipeline(size):
    result = 0
    for _ in range(size):
        records = with_totals(parsed(lines_of(500)))
        wanted = filter(lambda record: record[1] == "GET", records)
        for minute, group in itertools.groupby(wanted, key=operator.itemgetter(0)):
            first, *rest = group
            sizes = map(operator.itemgetter(3), itertools.chain([first], rest))
            ranked = enumerate(sorted(sizes, reverse=True), start=1)
            result += minute + sum(rank * length for rank, length in itertools.islice(ranked, 5))
            result += sum(a[3] != b[3] for a, b in zip(rest, rest[1:]))
    return result


# --- archive: records to and from pickle and JSON. C modules that walk containers.


class Record:
    def __init__(self, number):
        self.number = number
        self.tags = {"a", "b", f"tag{number % 7}"}
        self.parts = [{"part": part, "amount": part * number} for part in range(4)]
        self.history = collections.deque([number, number + 1], maxlen=8)


pickle.dumps(Record(0))  # what copyreg remembers of a class, it remembers before there are threads


def archive(size):
    records = [Record(number) for number in range(40)]
    length = 0
    for _ in range(size):
        kept = pickle.loads(pickle.dumps(records))
        lines = [json.dumps({**vars(r), "tags": sorted(r.tags), "history": [*r.history]}) for r in kept]
        read = [json.loads(line) for line in lines]
        length += sum(len(entry["parts"]) + entry["number"] for entry in read)
    return length


# --- service: requests by a queue, a session each, the latest in a log: what a server keeps. All threads
# share it: queue, dict, set, deque and the locks around them.


class Service:
    def __init__(self):
        self.requests = queue.Queue()
        self.lock = threading.Lock()
        self.sessions = {}
        self.online = set()
        self.latest = collections.deque(maxlen=50)

    def handle(self, request):
        user, words = request["user"], request["text"].split()
        with self.lock:
            session = self.sessions.setdefault(user, {"requests": 0, "words": 0})
            session["requests"] += 1
            session["words"] += len(words)
            if request["leave"]:
                self.online.discard(user)
            else:
                self.online.add(user)
            self.latest.append(user)
        return {"user": user, "answer": " ".join(word.title() for word in words)}


SERVICE = Service()


def service(size):
    length = 0
    for number in range(size):
        for user in range(number % 8, 40, 8):
            SERVICE.requests.put(
                {"user": user, "text": f"request {number} by the user {user}", "leave": number % 4 == 0}
            )
        for _ in range(number % 8, 40, 8):
            length += len(SERVICE.handle(SERVICE.requests.get())["answer"])
            SERVICE.requests.task_done()
    return length


# --- The worst that is known: nothing but what costs most.


RING = queue.SimpleQueue()


class Item:
    def __init__(self):
        self.left = 0
        self.right = 0


for _ in range(16):
    RING.put(Item())


def relay(size):
    """Objects that go round between the threads and are changed all the time: every put begins an epoch."""
    rounds = 0
    for _ in range(size):
        item = RING.get()
        item.left += 1
        item.right += item.left
        rounds = max(rounds, item.left)
        RING.put(item)
    return rounds


def crumbs(size):
    """Small containers that are made, touched and dropped."""
    total = 0
    for number in range(size):
        numbers = {number, number + 1}
        numbers.add(number + 2)
        ends = collections.deque((number,))
        ends.append(number)
        octets = bytearray(4)
        octets[number & 3] = 1
        names = collections.OrderedDict(first=number)
        names["last"] = number
        total += len(numbers) + len(ends) + octets[0] + len(names)
    return total
