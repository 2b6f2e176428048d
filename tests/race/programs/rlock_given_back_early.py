# expect: lost-update Cart.total
# racy-twin-of: edge_rlock
import threading


class Cart:
    def __init__(self):
        self.lock = threading.RLock()
        self.total = 0

    def add(self, price):
        with self.lock:
            with self.lock:
                total = self.total
        self.total = total + price


def shop(cart):
    for price in range(20):
        cart.add(price)


cart = Cart()
threads = [threading.Thread(target=shop, args=(cart,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(cart.total > 0)
