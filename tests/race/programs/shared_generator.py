# expect: unsafe tickets
import threading


def make_tickets():
    number = 0
    while True:
        number += 1
        yield number


tickets = make_tickets()


def buy():
    try:
        next(tickets)
    except ValueError:  # generator already executing
        pass


threads = [threading.Thread(target=buy) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(next(tickets) > 1)
