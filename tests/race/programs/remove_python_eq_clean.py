import threading


class Order:
    def __init__(self, number):
        self.number = number

    def __eq__(self, other):
        return self.number == other.number


class Warehouse:
    def __init__(self):
        self.lock = threading.RLock()
        self.orders = [Order(number) for number in range(10)]

    def ship(self):
        for number in range(10):
            with self.lock:
                self.orders.remove(Order(number))

    def accept(self):
        for number in range(10, 20):
            with self.lock:
                self.orders.append(Order(number))


warehouse = Warehouse()
threads = [threading.Thread(target=warehouse.ship), threading.Thread(target=warehouse.accept)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(warehouse.orders))
