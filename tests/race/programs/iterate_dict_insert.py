# expect: iteration prices
import threading

prices = {"apple": 3, "pear": 4}


def cheapest():
    for _ in range(20):
        try:
            best = None
            for name in prices:
                if best is None or name < best:
                    best = name
        except RuntimeError:  # dictionary changed size during iteration
            pass


def restock():
    for number in range(20):
        prices["item %d" % number] = number


threads = [threading.Thread(target=cheapest), threading.Thread(target=restock)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(prices))
