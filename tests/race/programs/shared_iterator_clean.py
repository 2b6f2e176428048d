import threading

lines = iter(["one", "two", "three", "four", "five", "six"])
lines_lock = threading.Lock()


def take():
    with lines_lock:
        return next(lines, None)


def consume():
    while take() is not None:
        pass


threads = [threading.Thread(target=consume) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(next(lines, "end"))
