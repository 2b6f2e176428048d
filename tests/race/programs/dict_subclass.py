# expect: lost-update stock['pen']
import threading


class Stock(dict):
    pass


stock = Stock(pen=10)


def order():
    for _ in range(20):
        stock["pen"] += 1


threads = [threading.Thread(target=order) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(stock["pen"] > 10)
