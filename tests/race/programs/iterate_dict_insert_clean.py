import threading

prices = {"apple": 3, "pear": 4}
prices_lock = threading.Lock()


def cheapest():
    for _ in range(20):
        best = None
        with prices_lock:
            for name in prices:
                if best is None or name < best:
                    best = name


def restock():
    for number in range(20):
        with prices_lock:
            prices["item %d" % number] = number


threads = [threading.Thread(target=cheapest), threading.Thread(target=restock)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(prices))
