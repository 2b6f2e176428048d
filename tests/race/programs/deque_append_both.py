# deque.append is atomic: only the order is open.
# expect: ordering history
import collections
import threading

history = collections.deque()


def record(name):
    for number in range(5):
        history.append((name, number))


threads = [threading.Thread(target=record, args=(name,)) for name in ("left", "right")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(history))
