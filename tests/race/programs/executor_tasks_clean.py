# What the tasks return is added up by whoever asked.
import concurrent.futures
import threading


def convert(both_run):
    both_run.wait()
    done = 0
    for _ in range(20):
        done += 1
    return done


both_run = threading.Barrier(2)
with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
    tasks = [pool.submit(convert, both_run) for _ in range(2)]
    print(sum(task.result() for task in tasks))
