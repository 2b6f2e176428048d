# Who drops the last reference has done nothing else with the object: its finaliser, which may run in
# the thread that made it, is after that all the same.
# edge: finaliser
import os
import shutil
import tempfile
import threading


class Job:
    def __init__(self):
        self.text = ""


class Handle:
    def __del__(self):
        job.text += " world"
        os.mkdir(flag)


def drop():
    job.text = "hello"
    handles.pop()
    release.wait()


job = Job()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
handles = [Handle()]
release = threading.Event()
thread = threading.Thread(target=drop)
thread.start()
while not os.path.isdir(flag):
    pass
release.set()
thread.join()
shutil.rmtree(directory)
print(job.text)
