import threading


class Stock(dict):
    lock = threading.Lock()

    def add(self, name, number):
        with self.lock:
            self[name] += number


stock = Stock(pen=10)


def order():
    for _ in range(20):
        stock.add("pen", 1)


threads = [threading.Thread(target=order) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(stock["pen"])
