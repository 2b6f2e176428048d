# What comes over one pair of sockets says nothing of who uses another one.
# expect-one-of: data-race Job.text | lost-update Job.text
# racy-twin-of: edge_socket
import os
import shutil
import socket
import tempfile
import threading


class Job:
    def __init__(self):
        self.text = ""


def write():
    job.text = "hello"
    first.send(b"x")
    os.mkdir(flag)


def read():
    while not os.path.isdir(flag):
        pass
    second.recv(1)
    job.text += " world"


job = Job()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
first, first_end = socket.socketpair()
second, second_end = socket.socketpair()
second_end.send(b"x")
threads = [threading.Thread(target=f) for f in (read, write)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for end in (first, first_end, second, second_end):
    end.close()
shutil.rmtree(directory)
print(job.text)
