# expect-one-of: data-race cache | data-race cache['page']
import threading

cache = {"page": "<html>"}


def invalidate():
    cache.clear()


def serve():
    for _ in range(10):
        cache.get("page", "")


threads = [threading.Thread(target=invalidate), threading.Thread(target=serve)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(cache))
