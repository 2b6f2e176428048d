# A put that waited for room comes after the get that made it.
# edge: queue
import queue
import threading


class Slot:
    used = 0


def fill(slot, belt):
    belt.put("second")
    slot.used += 1


def empty(slot, belt):
    slot.used += 1
    belt.get()


slot = Slot()
belt = queue.Queue(maxsize=1)
belt.put("first")
threads = [threading.Thread(target=work, args=(slot, belt)) for work in (fill, empty)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(slot.used)
