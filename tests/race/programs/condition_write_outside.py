# What is written after the lock was given back is not what the condition announced.
# expect: data-race Order.status
# racy-twin-of: edge_condition
import threading


class Order:
    def __init__(self):
        self.changed = threading.Condition()
        self.packed = False
        self.status = "new"


def pack(order):
    with order.changed:
        order.packed = True
        order.changed.notify()
    order.status = "packed"


def ship(order):
    with order.changed:
        while not order.packed:
            order.changed.wait()
    return order.status


order = Order()
threads = [threading.Thread(target=work, args=(order,)) for work in (ship, pack)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(order.status)
