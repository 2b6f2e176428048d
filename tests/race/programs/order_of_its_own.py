# What orders the two is not known to the detector, and the program does not say it.
# expect-one-of: data-race Job.text | lost-update Job.text
import os
import shutil
import tempfile
import threading


class Job:
    def __init__(self):
        self.text = ""


def write():
    job.text = "hello"
    os.mkdir(flag)


def read():
    while not os.path.isdir(flag):
        pass
    job.text += " world"


job = Job()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
threads = [threading.Thread(target=f) for f in (read, write)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
shutil.rmtree(directory)
print(job.text)
