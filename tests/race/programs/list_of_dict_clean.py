import threading

jobs = {number: "queued" for number in range(5)}
jobs_lock = threading.Lock()


def list_jobs():
    for _ in range(10):
        with jobs_lock:
            list(jobs)


def submit():
    for number in range(5, 15):
        with jobs_lock:
            jobs[number] = "queued"


threads = [threading.Thread(target=list_jobs), threading.Thread(target=submit)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(jobs))
