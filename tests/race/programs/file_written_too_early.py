# The file says that the job is done before it is.
# expect-one-of: data-race Job.text | lost-update Job.text
# racy-twin-of: edge_file
import os
import tempfile
import threading


class Job:
    def __init__(self):
        self.text = ""


def write(job):
    with open(path, "w") as file:
        file.write("done")
    job.text = "hello"


def read(job):
    while True:
        with open(path) as file:
            if file.read() == "done":
                break
    job.text += " world"


descriptor, path = tempfile.mkstemp()
os.close(descriptor)
job = Job()
threads = [threading.Thread(target=f, args=(job,)) for f in (read, write)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
os.unlink(path)
print(len(job.text) > 0)
