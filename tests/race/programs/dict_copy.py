# Copying a dict is one step, but which state is copied is open.
# expect-one-of: data-race scores | data-race scores['bob'] | iteration scores
import threading

scores = {"alice": 0, "bob": 0}


def save():
    for _ in range(10):
        dict(scores)


def play():
    for points in range(10):
        scores["bob"] = points


threads = [threading.Thread(target=save), threading.Thread(target=play)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(scores))
