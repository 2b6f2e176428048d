# What: a new progress bar that is disabled iterates over `_instances` and removes itself, without their lock.
# Release: tqdm 4.32.1
# Issue: tqdm/tqdm 481, 700; fixed by 754
# requires: tqdm==4.32.1
# options: --include tqdm
# expect: iteration WeakSet.data
"""RuntimeError: Set changed size during iteration."""

import threading

import tqdm

tqdm.tqdm.monitor_interval = 0
first = tqdm.tqdm(range(2), disable=True)
both_are_here = threading.Barrier(2)


def work():
    both_are_here.wait()
    for _ in range(20):
        try:
            tqdm.tqdm(range(2), disable=True)
        except RuntimeError:
            pass


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
