import threading

cache = {}
cache_lock = threading.Lock()


def square(number):
    with cache_lock:
        if number not in cache:
            cache[number] = number * number
        return cache[number]


threads = [threading.Thread(target=square, args=(7,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(cache)
