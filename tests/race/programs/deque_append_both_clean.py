import collections
import threading

histories = {name: collections.deque() for name in ("left", "right")}


def record(name):
    history = histories[name]
    for number in range(5):
        history.append((name, number))


threads = [threading.Thread(target=record, args=(name,)) for name in histories]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sum(map(len, histories.values())))
