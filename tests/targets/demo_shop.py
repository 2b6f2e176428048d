"""A small shop with two mistakes, for `tools/demo` to show what `fthreadprof race` says: orders come in through a
pool of threads; prices are looked up once and kept; the stock is guarded by a lock, the day's takings are not.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

ORDERS = [("tea", 2), ("rice", 1), ("tea", 5), ("salt", 1), ("rice", 4), ("tea", 1)] * 20


class Shop:
    def __init__(self):
        self._lock = threading.Lock()
        self._prices = {}
        self._stock = {"tea": 100, "rice": 100, "salt": 100}
        self.takings = 0

    def price_of(self, article):
        if article not in self._prices:  # two threads may both find it missing
            self._prices[article] = len(article) * 3
        return self._prices[article]

    def take_from_stock(self, article, number):
        with self._lock:
            if self._stock[article] < number:
                return False
            self._stock[article] -= number
            return True

    def order(self, article, number):
        if self.take_from_stock(article, number):
            self.takings += self.price_of(article) * number  # an update may be lost


def main():
    shop = Shop()
    both_open = threading.Barrier(2)

    def serve(orders):
        both_open.wait()
        for article, number in orders:
            shop.order(article, number)

    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="till") as tills:
        list(tills.map(serve, [ORDERS[::2], ORDERS[1::2]]))
    print(f"takings: {shop.takings}")


if __name__ == "__main__":
    main()
