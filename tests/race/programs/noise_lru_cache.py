import functools
import threading


@functools.lru_cache(maxsize=8)
def square(number):
    return number * number


@functools.cache
def cube(number):
    return number**3


def work():
    for number in range(50):
        square(number % 12)
        cube(number % 5)


threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(square(3), cube(3))
