# A handle orders when it is joined, not by being there.
# expect: data-race Job.text
# racy-twin-of: edge_thread_handle
import _thread


class Job:
    def __init__(self):
        self.text = ""


def work():
    job.text = "hello"


job = Job()
handle = _thread.start_joinable_thread(work)
len(job.text)
handle.join()
print(job.text)
