# Two names of one lock.
import threading


class Inventory:
    def __init__(self):
        self.read_lock = self.write_lock = threading.Lock()
        self.stock = 100

    def restock(self):
        with self.write_lock:
            self.stock += 5

    def sell(self):
        with self.read_lock:
            self.stock -= 1


def repeat(operation):
    for _ in range(50):
        operation()


inventory = Inventory()
supplier = threading.Thread(target=repeat, args=(inventory.restock,))
shop = threading.Thread(target=repeat, args=(inventory.sell,))
supplier.start()
shop.start()
supplier.join()
shop.join()
print(inventory.stock)
