# A put that waited for room is after the get that made it, not after what comes then.
# expect: lost-update Slot.used
# racy-twin-of: edge_queue_bounded
import queue
import threading


class Slot:
    used = 0


def fill(slot, belt):
    belt.put("second")
    slot.used += 1


def empty(slot, belt):
    belt.get()
    slot.used += 1


slot = Slot()
belt = queue.Queue(maxsize=1)
belt.put("first")
threads = [threading.Thread(target=work, args=(slot, belt)) for work in (fill, empty)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(slot.used > 0)
