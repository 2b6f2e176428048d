import threading

jobs = set(range(30))
jobs_lock = threading.Lock()


def take():
    with jobs_lock:
        return jobs.pop() if jobs else None


def work():
    while take() is not None:
        pass


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(jobs)
