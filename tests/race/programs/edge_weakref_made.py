# edge: weakref
# The callback runs in the thread that drops or collects the object, and reads what was set before the reference was made.
import gc
import threading
import weakref


class Entry:
    def __init__(self):
        self.name = ""


class Value:
    def __init__(self):
        self.me = self


def make():
    for number in range(20):
        value = Value()
        entry = Entry()
        entry.name = str(number)
        entry.reference = weakref.ref(value, lambda _, entry=entry: names.append(entry.name))
        entries.append(entry)


def collect():
    for _ in range(50):
        gc.collect()


names = []
entries = []
gc.disable()
threads = [threading.Thread(target=make), threading.Thread(target=collect)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
gc.collect()
print(len(names))
