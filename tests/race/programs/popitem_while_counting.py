# expect: data-race pending
import threading

pending = {number: number for number in range(20)}


def take():
    for _ in range(10):
        pending.popitem()


def remaining():
    for _ in range(10):
        abs(len(pending))


threads = [threading.Thread(target=take), threading.Thread(target=remaining)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(pending))
