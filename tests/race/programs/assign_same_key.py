# expect: ordering latest['price']
import threading

latest = {"price": 0}


def feed(prices):
    for price in prices:
        latest["price"] = price


threads = [threading.Thread(target=feed, args=(range(start, 50),)) for start in (10, 20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(latest["price"] > 0)
