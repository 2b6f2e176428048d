# Jobs come and go in the table, so what is known of its keys is dropped, but not that it was cleared.
# expect: data-race table
import itertools
import threading

table = {}
there = itertools.count()  # orders nothing


def fill():
    table.clear()
    table["limit"] = 10
    for job in range(3000):
        table[job] = job
        del table[job]
    next(there)


def use():
    while repr(there) == "count(0)":
        pass
    table["limit"]


threads = [threading.Thread(target=target) for target in (use, fill)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(table))
