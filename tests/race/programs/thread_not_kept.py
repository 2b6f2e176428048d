# That the last reference to a thread is dropped does not say that it was waited for.
# expect: data-race Job.text
import sys
import threading


class Job:
    def __init__(self):
        self.text = ""


def work():
    job.text = "hello"


job = Job()
thread = threading.Thread(target=work)
thread.start()
while sys.getrefcount(thread) > 2:  # it has them until its end
    pass
del thread
print(job.text)
