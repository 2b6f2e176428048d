# The reader's class has the attribute itself.
import threading


class Limits:
    maximum = 10


class Strict(Limits):
    maximum = 5


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
