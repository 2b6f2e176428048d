import threading


def make_counter():
    count = 0
    lock = threading.Lock()

    def bump():
        nonlocal count
        lock.acquire()
        try:
            count += 1
            return count
        finally:
            lock.release()

    return bump


def work(bump):
    for _ in range(50):
        bump()


bump = make_counter()
threads = [threading.Thread(target=work, args=(bump,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(bump())
