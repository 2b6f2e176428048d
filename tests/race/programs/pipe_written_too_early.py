# The byte is written before what it announces.
# expect-one-of: data-race Job.text | lost-update Job.text
# racy-twin-of: edge_pipe
import os
import threading


class Job:
    def __init__(self):
        self.text = ""


def write(job):
    os.write(writing, b"x")
    job.text = "hello"


def read(job):
    os.read(reading, 1)
    job.text += " world"


reading, writing = os.pipe()
job = Job()
threads = [threading.Thread(target=f, args=(job,)) for f in (read, write)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(job.text) > 0)
