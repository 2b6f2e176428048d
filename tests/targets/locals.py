"""A thread in a function with local variables of every kind; says what they must be shown as."""

import signal
import threading

import target


class Thing:
    pass


def größe(first, *rest, keyword=1.5, **others):
    none, true, negative = None, True, -5
    big, huge, zero = 2**100, 2**200, 0
    tiny, small, whole, infinite = 1e22, 0.1, 123456.0, float("-inf")
    text, quote, long_text = "hé\n\\", "it's", "x" * 100
    data, long_data = b"\x00'\xff", b"y" * 61
    empty, one, nested = [], (1,), [1, (2, [3, {4: 5}])]
    table, long_list = {"a": 1, 2: b"b"}, list(range(100))
    thing, cyclic = Thing(), []
    cyclic.append(cyclic)
    seen, unbound = "in a cell", None
    del unbound

    def inner():
        return seen + unbound

    EXPECTED.update(
        {name: (type(value).__name__, SPELLED.get(name)) for name, value in locals().items()}
    )
    park()


def park():
    ready.set()
    signal.pause() if threading.current_thread() is threading.main_thread() else gate.acquire()


SPELLED = {
    "first": "3",
    "rest": "(4, 5)",
    "keyword": "1.5",
    "others": "{'extra': 7}",
    "none": "None",
    "true": "True",
    "negative": "-5",
    "big": str(2**100),
    "zero": "0",
    "tiny": "1e+22",
    "small": "0.1",
    "whole": "123456.0",
    "infinite": "-inf",
    "text": "'hé\\n\\\\'",
    "quote": '"it\'s"',
    "long_text": "'" + "x" * 60 + "'...",
    "data": "b\"\\x00'\\xff\"",
    "long_data": "b'" + "y" * 60 + "'...",
    "empty": "[]",
    "one": "(1,)",
    "nested": "[1, (2, [...])]",
    "table": "{'a': 1, 2: b'b'}",
    "long_list": "[0, 1, 2, 3, 4, 5, 6, 7, ...]",
    "cyclic": "[[[...]]]",
    "seen": "'in a cell'",
}
EXPECTED = {}  # name -> (type, spelling or None)
ready = threading.Event()
gate = threading.Lock()
gate.acquire()
thread = threading.Thread(
    target=größe, args=(3, 4, 5), kwargs={"extra": 7}, name="with-locals", daemon=True
)
thread.start()
ready.wait()
target.ready(locals=EXPECTED)
signal.pause()
