# Events that are polled: the flag is read in the very moment in which another core sets it.
import threading


class Step:
    def __init__(self):
        self.done = threading.Event()
        self.result = None


def walk(mine, others):
    for my_step, other_step in zip(mine, others):
        my_step.result = 1
        my_step.done.set()
        while not other_step.done.is_set():
            pass
        abs(other_step.result)


paths = [[Step() for _ in range(500)] for _ in range(2)]
threads = [threading.Thread(target=walk, args=(paths[i], paths[1 - i])) for i in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
