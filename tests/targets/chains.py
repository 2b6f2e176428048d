"""Changes its stack all the time and knows which stacks are possible: see possible_chains().

chains.py THREADS: that many threads run work(). A test reads the call lines from this source: a line
calls what it names, or what its `# calls:` comment names where C code makes the call.
"""

import functools
import sys
import threading
import time

import target

DEPTH = 20
# a1 calls a2 calls ... a20, and the same for b; the file name in their code objects is GENERATED_FILE.
GENERATED_FILE = "<chains>"
GENERATED = "".join(
    f"def {chain}{i}(n):\n    if n:\n        return {chain}{i + 1}(n - 1)\n    return leaf(n)\n\n\n"
    for chain in "ab"
    for i in range(1, DEPTH + 1)
)
exec(compile(GENERATED, GENERATED_FILE, "exec"), globals())


def leaf(n):
    return n


def even(n):
    if n:
        return odd(n - 1)
    return bottom_of_even()


def odd(n):
    if n:
        return even(n - 1)
    return bottom_of_odd()


def bottom_of_even():
    return 0


def bottom_of_odd():
    return 1


def outer_generator(n):
    for x in inner_generator(n):
        yield x


def inner_generator(n):
    while n:
        yield leaf(n)
        n -= 1


async def coroutine(n):
    if n:
        return await coroutine(n - 1)
    return leaf(n)


def key(x):
    return leaf(-x)


def combine(x, y):
    return x + leaf(y)


def throw(n):
    if n:
        throw(n - 1)
    raise ValueError


def run_a(n):
    a1(n % DEPTH)  # noqa: F821


def run_b(n):
    b1(n % DEPTH)  # noqa: F821


def run_even(n):
    even(8)


def run_odd(n):
    even(13)


def run_generator(n):
    for x in outer_generator(5):
        leaf(x)


def run_coroutine(n):
    try:
        coroutine(6).send(None)  # calls: coroutine
    except StopIteration:
        pass


def run_sorted(n):
    sorted((3, 1, 2), key=key)  # calls: key


def run_map(n):
    list(map(key, (1, 2, 3)))  # calls: key


def run_reduce(n):
    functools.reduce(combine, (1, 2, 3))  # calls: combine


def run_throw(n):
    try:
        throw(9)
    except ValueError:
        pass


def work():
    n = 0
    while not target.stopped:
        n += 7
        run_a(n)
        run_b(n + 3)
        run_even(n)
        run_odd(n)
        run_generator(n)
        run_coroutine(n)
        run_sorted(n)
        run_map(n)
        run_reduce(n)
        run_throw(n)


def possible_chains():
    """Every possible stack is a prefix of one of these, from work() inwards."""
    for chain in "ab":
        for depth in range(1, DEPTH + 1):
            calls = [f"{chain}{i}" for i in range(1, depth + 1)]
            yield ["work", f"run_{chain}", *calls, "leaf"]
    yield ["work", "run_even", *(("even", "odd") * 4), "even", "bottom_of_even"]
    yield ["work", "run_odd", *(("even", "odd") * 7), "bottom_of_odd"]
    yield ["work", "run_generator", "leaf"]
    yield ["work", "run_generator", "outer_generator", "inner_generator", "leaf"]
    yield ["work", "run_coroutine", *["coroutine"] * 7, "leaf"]
    yield ["work", "run_sorted", "key", "leaf"]
    yield ["work", "run_map", "key", "leaf"]
    yield ["work", "run_reduce", "combine", "leaf"]
    yield ["work", "run_throw", *["throw"] * 10]


if __name__ == "__main__":
    target.stop_on_sigterm()
    for _ in range(int(sys.argv[1])):
        threading.Thread(target=work).start()
    target.ready()
    while not target.stopped:
        time.sleep(0.1)
