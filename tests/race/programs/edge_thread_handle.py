# A thread without a threading.Thread, joined by its handle.
# edge: thread_join
import _thread


class Job:
    def __init__(self):
        self.text = ""


def work():
    job.text = "hello"


job = Job()
handle = _thread.start_joinable_thread(work)
handle.join()
job.text += " world"
print(job.text)
