# With an __eq__ in Python, list.remove is no single step.
# expect: unsafe orders
import threading


class Order:
    def __init__(self, number):
        self.number = number

    def __eq__(self, other):
        return self.number == other.number


orders = [Order(number) for number in range(10)]


def ship():
    for number in range(10):
        orders.remove(Order(number))


def accept():
    for number in range(10, 20):
        orders.append(Order(number))


threads = [threading.Thread(target=ship), threading.Thread(target=accept)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(orders))
