import sys
import threading


class Job:
    def __init__(self):
        self.text = ""


def work():
    job.text = "hello"
    written.set()


job = Job()
written = threading.Event()
thread = threading.Thread(target=work)
thread.start()
while sys.getrefcount(thread) > 2:
    pass
del thread
written.wait()
print(job.text)
