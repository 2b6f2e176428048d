# expect: check-then-act jobs
import threading

jobs = set(range(30))


def work():
    while jobs:
        try:
            jobs.pop()
        except KeyError:  # the other one took the last
            break


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(jobs)
