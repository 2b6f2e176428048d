"""Calls from C code that take a microsecond each."""

import target


class Number:
    def __init__(self, value):
        self.value = value

    def __add__(self, other):
        total = 0
        for i in range(10):
            total += i
        return total

def operate():
    a, b = Number(1), Number(2)
    while not target.stopped:
        a + b
        a is b


if __name__ == "__main__":
    target.stop_on_sigterm()
    target.ready()
    operate()
