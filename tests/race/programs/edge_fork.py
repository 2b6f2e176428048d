# The child has what all threads did before the fork, whatever orders them in the parent.
# edge: fork
import os
import shutil
import tempfile
import threading


class Job:
    def __init__(self):
        self.text = ""


def work():
    job.text = "hello"
    os.mkdir(flag)
    release.wait()


job = Job()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
release = threading.Event()
thread = threading.Thread(target=work)
thread.start()
while not os.path.isdir(flag):
    pass
pid = os.fork()
if pid == 0:
    job.text += " world"
    os._exit(0)
status = os.waitpid(pid, 0)[1]
release.set()
thread.join()
shutil.rmtree(directory)
print(os.waitstatus_to_exitcode(status))
