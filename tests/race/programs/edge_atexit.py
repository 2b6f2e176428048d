# Nobody joins the thread but the interpreter, before it calls what was registered.
# edge: thread_join
import atexit
import threading


class Job:
    def __init__(self):
        self.text = ""


def work():
    job.text = "hello"


def finish():
    job.text += " world"


job = Job()
atexit.register(finish)
threading.Thread(target=work).start()
print("done")
