import threading

pending = {number: number for number in range(20)}
pending_lock = threading.RLock()


def take():
    for _ in range(10):
        with pending_lock:
            pending.popitem()


def remaining():
    for _ in range(10):
        with pending_lock:
            abs(len(pending))


threads = [threading.Thread(target=take), threading.Thread(target=remaining)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(pending))
