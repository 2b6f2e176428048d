# Jobs come and go in the table, so what is known of its keys is dropped. Who then gets the
# configuration is after who stored it, the second one as well as the first.
import itertools
import threading

table = {}
there = itertools.count()  # orders nothing


class Configuration:
    def __init__(self):
        self.limit = 10


def fill():
    table["configuration"] = Configuration()
    for job in range(3000):
        table[job] = job
        del table[job]
    next(there)


def use():
    while repr(there) == "count(0)":
        pass
    for _ in range(10):
        table["configuration"].limit


threads = [threading.Thread(target=target) for target in (use, use, fill)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(table))
