# expect: ordering slots[1]
import threading

slots = [None] * 4


def claim(owner):
    slots[1] = owner


threads = [threading.Thread(target=claim, args=(owner,)) for owner in ("red", "blue")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(slots[1] is not None)
