"""Parks one thread in every kind of frame and says each one's stack as the interpreter knows it."""

import asyncio
import functools
import importlib
import pathlib
import signal
import sys
import tempfile
import threading
import time

import target

gate = threading.Lock()


def park(*ignored):
    gate.acquire()


class Shape:
    def method(self):
        park()

    @classmethod
    def class_method(cls):
        park()

    @staticmethod
    def static_method():
        park()

    @property
    def attribute(self):
        park()

    def __eq__(self, other):  # called from C by list.index
        park()

    class Inner:
        def __init__(self):
            park()


def nest():
    def middle():
        def inner():
            park()

        inner()

    middle()


def generator():
    yield 1
    yield from inner_generator()


def inner_generator():
    park()
    yield 2


async def coroutine(n):
    if n:
        return await coroutine(n - 1)
    async for _ in async_generator():
        pass


async def async_generator():
    park()
    yield


def comprehend():
    return [park() for _ in range(1)]


def generate():
    return any(park() for _ in range(1))


def make_class():
    class Body:
        value = park()


def decorate(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


@decorate
@decorate
def decorated():
    park()


def recurse(n):
    if n:
        return recurse(n - 1)
    park()


def span_lines():
    return max(
        0,
        abs(
            park(
                1,
                2,
            )
        ),
    )


def finally_clause():
    try:
        raise ValueError
    except ValueError:
        pass
    finally:
        with threading.Lock():
            park()


def größe_测试():
    park()


def execute():
    exec("x = 1\n\npark()")


def execute_function():
    made = "def made():\n\n\n    park()\n\nmade()\n"
    exec(compile(made, "/nowhere/dünn 测试.py", "exec"), {"park": park})


def import_module():
    importlib.import_module("modul_é_模块")


CASES = {
    "method": lambda: Shape().method(),
    "class method": Shape.class_method,
    "static method": Shape.static_method,
    "property": lambda: Shape().attribute,
    "slot": lambda: [Shape()].index(Shape()),
    "init": Shape.Inner,
    "nested": nest,
    "generator": lambda: list(generator()),
    "coroutine": lambda: asyncio.run(coroutine(3)),
    "comprehension": comprehend,
    "generator expression": generate,
    "lambda": lambda: (lambda: park())(),
    "sort key": lambda: sorted([1], key=lambda x: park()),
    "reduce": lambda: functools.reduce(lambda x, y: park(), (1, 2)),
    "partial": functools.partial(map(park, [1]).__next__),
    "class body": make_class,
    "decorated": decorated,
    "recursion": functools.partial(recurse, 5000),
    "several lines": span_lines,
    "finally": finally_clause,
    "non-ASCII": größe_测试,
    "exec": execute,
    "exec function": execute_function,
    "import": import_module,
}


def stack_of(frame):
    """[qualified name, file, line] of every frame, outermost first."""
    stack = []
    while frame:
        stack.append([frame.f_code.co_qualname, frame.f_code.co_filename, frame.f_lineno])
        frame = frame.f_back
    return stack[::-1]


def write_module(directory):
    text = "from __main__ import park\n\nclass Ä:\n    park()\n"
    (pathlib.Path(directory) / "modul_é_模块.py").write_text(text, encoding="utf-8")
    sys.path.append(directory)


def park_all():
    """Starts the threads; returns what each one's stack is once all are parked."""
    threads = {name: threading.Thread(target=case, name=name) for name, case in CASES.items()}
    for thread in threads.values():
        thread.start()
    stacks = {}
    while len(stacks) < len(threads):
        time.sleep(0.01)
        frames = sys._current_frames()
        stacks = {
            thread.native_id: {"case": name, "stack": stack_of(frames[thread.ident])}
            for name, thread in threads.items()
            if frames[thread.ident].f_code is park.__code__
        }
    return stacks


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    gate.acquire()
    with tempfile.TemporaryDirectory() as directory:
        write_module(directory)
        stacks = park_all()
    target.ready(stacks=stacks)
    signal.pause()
