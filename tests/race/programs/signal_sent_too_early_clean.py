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
    job.text = "hello"
    os.kill(os.getpid(), signal.SIGUSR1)
    handled.wait()
    job.text += "!"


job = Job()
handled = threading.Event()
signal.signal(signal.SIGUSR1, handle)
thread = threading.Thread(target=send)
thread.start()
thread.join()
print(job.text)
