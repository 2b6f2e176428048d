# New keys of different names: inserts commute.
import threading

latest = {}


def feed(market, prices):
    for price in prices:
        latest[market, price] = price


threads = [threading.Thread(target=feed, args=(market, range(50))) for market in ("a", "b")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(latest))
