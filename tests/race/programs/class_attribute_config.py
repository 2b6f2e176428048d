# The reader goes by an instance: the class is looked up through the type cache.
# expect: data-race Limits.maximum
import threading


class Limits:
    maximum = 10


class Strict(Limits):
    pass


def raise_limit():
    for maximum in range(20):
        Limits.maximum = maximum


def check():
    strict = Strict()
    for _ in range(20):
        abs(strict.maximum)


threads = [threading.Thread(target=raise_limit), threading.Thread(target=check)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(Limits.maximum)
