import queue
import threading

jobs = queue.Queue()


def produce():
    job = {"state": "new"}
    job["state"] = "sent"
    jobs.put(job)
    job = {"state": "next"}


def consume():
    job = jobs.get()
    job["state"].upper()
    job["state"] = "done"


threads = [threading.Thread(target=produce), threading.Thread(target=consume)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
