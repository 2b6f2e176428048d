# expect: check-then-act cache[7]
import threading

cache = {}


def square(number):
    if number not in cache:
        cache[number] = number * number
    return cache[number]


threads = [threading.Thread(target=square, args=(7,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(cache)
