# itertools.count gives each number once, to whichever thread.
import itertools
import threading

tickets = itertools.count(1)


def buy():
    next(tickets)


threads = [threading.Thread(target=buy) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(next(tickets))
