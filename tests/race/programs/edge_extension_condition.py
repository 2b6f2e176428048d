# An extension module waits at a condition variable of pthread.
# edge: extension_lock
import threading

from support import extension

guard = extension.load("guard")


class Job:
    def __init__(self):
        self.text = ""


def write():
    job.text = "hello"
    guard.tell()


def read():
    guard.wait_until_told()
    job.text += " world"


job = Job()
threads = [threading.Thread(target=f) for f in (read, write)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(job.text)
