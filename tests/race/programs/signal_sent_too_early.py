# expect-one-of: data-race Job.text | lost-update Job.text
# racy-twin-of: edge_signal
import os
import signal
import threading


class Job:
    def __init__(self):
        self.text = ""


def handle(_number, _frame):
    job.text += " world"
    handled.set()


def send():
    os.kill(os.getpid(), signal.SIGUSR1)
    job.text = "hello"
    handled.wait()


job = Job()
handled = threading.Event()
signal.signal(signal.SIGUSR1, handle)
thread = threading.Thread(target=send)
thread.start()
thread.join()
print(len(job.text) > 0)
