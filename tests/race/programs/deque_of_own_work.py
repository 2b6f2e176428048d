# A thread's own list of work becomes everybody's: who takes from it is after all that the thread knew.
# expect: ordering jobs
import collections
import itertools
import queue
import threading

jobs = collections.deque()
computed = queue.SimpleQueue()
given = itertools.count()  # orders nothing


class Job:
    def __init__(self, steps):
        self.steps = steps
        self.result = 0


def compute():
    job = Job(1)
    job.result = 7
    computed.put(job)


def give():
    job = Job(100)
    while job.steps > 0:
        jobs.append(Job(job.steps - 1))
        job = jobs.popleft()
        job.result += 1
    jobs.append(job)
    jobs.append(computed.get())
    next(given)


def take():
    while repr(given) == "count(0)":
        pass
    for _ in range(2):
        jobs.popleft().result += 1


threads = [threading.Thread(target=target) for target in (compute, give, take)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(jobs))
