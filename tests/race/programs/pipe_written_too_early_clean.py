# Two pipes, each with one end in each thread: ping and pong.
import os
import threading


class Job:
    def __init__(self):
        self.text = ""


def write(job):
    job.text = "hello"
    os.write(ping[1], b"x")
    os.read(pong[0], 1)
    job.text += "!"


def read(job):
    os.read(ping[0], 1)
    job.text += " world"
    os.write(pong[1], b"x")


ping, pong = os.pipe(), os.pipe()
job = Job()
threads = [threading.Thread(target=f, args=(job,)) for f in (read, write)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(job.text)
