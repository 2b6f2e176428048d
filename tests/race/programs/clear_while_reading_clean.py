import threading

cache = {"page": "<html>"}
cache_lock = threading.Lock()


def invalidate():
    with cache_lock:
        cache.clear()


def serve():
    for _ in range(10):
        with cache_lock:
            cache.get("page", "")


threads = [threading.Thread(target=invalidate), threading.Thread(target=serve)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(cache))
