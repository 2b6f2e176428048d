# edge: pipe
import os
import threading


class Job:
    def __init__(self):
        self.text = ""


def write(job):
    job.text = "hello"
    os.write(writing, b"x")


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
print(job.text)
