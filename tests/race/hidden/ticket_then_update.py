# Race: `Totals.bytes`, lost-update: numbers and the log are locked, the sum between them is not.
# Hidden as long as a worker is done before the next one begins.
import threading


class Totals:
    def __init__(self):
        self.lock = threading.Lock()
        self.tickets = 0
        self.bytes = 0
        self.done = []


def upload(totals, size):
    with totals.lock:
        totals.tickets += 1
        ticket = totals.tickets
    totals.bytes += size
    with totals.lock:
        totals.done.append(ticket)


totals = Totals()
threads = [threading.Thread(target=upload, args=(totals, size)) for size in (100, 200)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
