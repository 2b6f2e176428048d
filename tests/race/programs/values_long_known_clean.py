# Another thread looks for many jobs, so what is known of the table's keys is dropped. Who then
# gets all values is after who stored them, the second one as well as the first.
import itertools
import threading

table = {"configuration": None}
stored = threading.Event()
there = itertools.count()  # orders nothing


class Configuration:
    def __init__(self):
        self.limit = 10


def store():
    table["configuration"] = Configuration()
    stored.set()


def look():
    stored.wait()
    for job in range(3000):
        table.get(job)
    next(there)


def use():
    while repr(there) == "count(0)":
        pass
    for configuration in table.values():
        configuration.limit


threads = [threading.Thread(target=target) for target in (use, use, look, store)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(table))
