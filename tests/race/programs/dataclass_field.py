# expect: lost-update Basket.items
import dataclasses
import threading


@dataclasses.dataclass
class Basket:
    owner: str
    items: int = 0


def fill(basket):
    for _ in range(20):
        basket.items += 1


basket = Basket("alice")
threads = [threading.Thread(target=fill, args=(basket,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(basket.items > 0)
