# The read and the write are lines apart; the value goes through local variables.
# expect: lost-update Ledger.total
import threading


class Ledger:
    def __init__(self):
        self.total = 0

    def book(self, amounts):
        total = self.total
        for amount in amounts:
            total += amount
        rounded = round(total, 2)
        self.total = rounded


def work(ledger):
    for _ in range(20):
        ledger.book([1, 2, 3])


ledger = Ledger()
threads = [threading.Thread(target=work, args=(ledger,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(ledger.total)
