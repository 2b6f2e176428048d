# An extension module holds a pthread mutex while it calls back.
# edge: extension_lock
import threading

from support import extension

guard = extension.load("guard")


class Counter:
    def __init__(self):
        self.value = 0

    def add(self):
        self.value += 1


def work():
    for _ in range(20):
        guard.locked(counter.add)


counter = Counter()
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(counter.value)
