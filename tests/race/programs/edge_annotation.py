# The program says what orders its threads: a directory that one makes, and the other waits for.
# edge: annotation
import os
import shutil
import tempfile
import threading

import fthreadprof


class Job:
    def __init__(self):
        self.text = ""


def write():
    job.text = "hello"
    fthreadprof.happens_before(job)
    os.mkdir(flag)


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
print(job.text)
