# heapq moves elements about without a lock.
# expect: unsafe timers
import heapq
import threading

timers = [3, 5, 9]


def schedule(when):
    heapq.heappush(timers, when)


def soonest():
    return heapq.heappop(timers)


threads = [threading.Thread(target=schedule, args=(4,)), threading.Thread(target=soonest)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(timers))
