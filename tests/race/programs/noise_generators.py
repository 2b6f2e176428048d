import itertools
import threading


def numbers(count):
    try:
        for number in range(count):
            yield number
    finally:
        count = 0


def delegate(count):
    total = yield from numbers(count)
    return total


def echo():
    received = []
    while True:
        received.append((yield len(received)))


def work():
    for _ in range(10):
        list(delegate(5))
        generator = numbers(5)
        next(generator)
        generator.close()
        generator = delegate(5)
        next(generator)
        try:
            generator.throw(ValueError("thrown"))
        except ValueError:
            pass
        listener = echo()
        next(listener)
        listener.send("a")
        listener.send("b")
        del listener
        list(itertools.islice(numbers(10), 3))
        {key: value for key, value in zip("abc", numbers(3))}


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
