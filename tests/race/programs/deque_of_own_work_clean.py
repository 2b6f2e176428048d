import collections
import queue
import threading

jobs = collections.deque()
computed = queue.SimpleQueue()
given = threading.Event()


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
    given.set()


def take():
    given.wait()
    for _ in range(2):
        jobs.popleft().result += 1


threads = [threading.Thread(target=target) for target in (compute, give, take)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(jobs))
