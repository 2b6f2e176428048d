import queue
import threading

timers = queue.PriorityQueue()
for start in (3, 5, 9):
    timers.put(start)


def schedule(when):
    timers.put(when)


def soonest():
    return timers.get()


threads = [threading.Thread(target=schedule, args=(4,)), threading.Thread(target=soonest)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(timers.qsize())
