# What is taken from the queue's own deque comes with what was done to it before it was put there,
# however many items the same thread has taken.
import queue
import threading

jobs = queue.Queue()


class Job:
    def __init__(self):
        self.result = 0


def give():
    for _ in range(100):
        job = Job()
        job.result = 7
        jobs.put(job)


def drain():
    while jobs.qsize() < 100:
        pass
    with jobs.mutex:
        while jobs.queue:
            jobs.queue.popleft().result += 1


threads = [threading.Thread(target=target) for target in (drain, give)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(jobs.qsize())
