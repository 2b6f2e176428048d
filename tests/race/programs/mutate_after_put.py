# expect: data-race job['state']
# racy-twin-of: edge_queue
import queue
import threading

jobs = queue.Queue()


def produce():
    job = {"state": "new"}
    jobs.put(job)
    job["state"] = "sent"


def consume():
    job = jobs.get()
    job["state"].upper()


threads = [threading.Thread(target=produce), threading.Thread(target=consume)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
