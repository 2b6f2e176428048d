# Race: `cache`, a key is looked up with the lock held and stored without it.
# Hidden as long as the first thread has counted its miss, with the lock, before the next looks.
import threading

lock = threading.Lock()
cache = {}
misses = 0


def square(number):
    global misses
    with lock:
        found = cache.get(number)
    if found is None:
        found = cache[number] = number * number
        with lock:
            misses += 1
    return found


threads = [threading.Thread(target=square, args=(12,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
