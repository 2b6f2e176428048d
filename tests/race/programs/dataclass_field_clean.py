# Frozen: what changes is replaced, and handed on by a queue.
import dataclasses
import queue
import threading


@dataclasses.dataclass(frozen=True)
class Basket:
    owner: str
    items: int = 0


def fill(baskets):
    for _ in range(20):
        basket = baskets.get()
        baskets.put(dataclasses.replace(basket, items=basket.items + 1))


baskets = queue.SimpleQueue()
baskets.put(Basket("alice"))
threads = [threading.Thread(target=fill, args=(baskets,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(baskets.get().items)
