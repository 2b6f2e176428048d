# What is written after happens_before() is not what it announced.
# expect-one-of: data-race Job.text | lost-update Job.text
# racy-twin-of: edge_annotation
import os
import shutil
import tempfile
import threading

import fthreadprof


class Job:
    def __init__(self):
        self.text = ""


def write():
    fthreadprof.happens_before(job)
    os.mkdir(flag)
    job.text = "hello"


def read():
    while not os.path.isdir(flag):
        pass
    fthreadprof.happens_after(job)
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
print(len(job.text) > 0)
