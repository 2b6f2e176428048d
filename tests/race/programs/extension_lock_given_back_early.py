# The extension module's lock is not held any more when the value is changed.
# expect: lost-update Counter.value
# racy-twin-of: edge_extension_lock edge_extension_condition
# racy-twin-of: edge_extension_lock_dropped edge_extension_rwlock
import threading

from support import extension

guard = extension.load("guard")


class Counter:
    def __init__(self):
        self.value = 0


def work():
    for _ in range(20):
        guard.locked(dict)
        counter.value += 1


counter = Counter()
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(counter.value > 0)
