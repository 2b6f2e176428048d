"""Runs Python in subinterpreters: interpreters.py SECONDS [CONFIG]

A thread each runs `in_first` and `in_second` in an interpreter of its own, main spins in `in_main`. CONFIG is "isolated"
(default: an own GIL) or "legacy" (the main interpreter's). Says the ids of the interpreters.
"""

import sys
import threading
import time

import target

try:
    import _interpreters
except ImportError:  # 3.12's name
    import _xxsubinterpreters as _interpreters

CODE = """
import time
def {name}():
    end = time.monotonic() + {seconds}
    while time.monotonic() < end:
        pass
{name}()
"""


def in_main(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def call_other(interpreter, code):
    _interpreters.exec(interpreter, code)


if __name__ == "__main__":
    seconds = float(sys.argv[1])
    config = sys.argv[2] if sys.argv[2:] else "isolated"
    ids = [_interpreters.create(config) for _ in range(2)]
    names = ("in_first", "in_second")
    threads = [
        threading.Thread(
            target=call_other,
            args=(interpreter, CODE.format(name=name, seconds=seconds)),
            name=f"calls-{name}",
        )
        for interpreter, name in zip(ids, names)
    ]
    for thread in threads:
        thread.start()
    target.ready(interpreters=dict(zip(names, map(int, ids))))
    in_main(seconds)
    for thread in threads:
        thread.join()
