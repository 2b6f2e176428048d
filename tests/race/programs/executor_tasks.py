# The barrier only makes sure that the two tasks get a thread each.
# expect: lost-update Progress.done
import concurrent.futures
import threading


class Progress:
    def __init__(self):
        self.done = 0


def convert(progress, both_run):
    both_run.wait()
    for _ in range(20):
        progress.done += 1


progress = Progress()
both_run = threading.Barrier(2)
with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
    tasks = [pool.submit(convert, progress, both_run) for _ in range(2)]
    for task in tasks:
        task.result()
print(progress.done)
