# What is changed after send() is not what the other one was told of.
# expect-one-of: data-race Job.text | lost-update Job.text
# racy-twin-of: edge_socket
import socket
import threading


class Job:
    def __init__(self):
        self.text = ""


def client(job):
    ours.sendall(b"hello")
    job.text = "hello"


def serve(job):
    theirs.recv(5)
    job.text += " world"


ours, theirs = socket.socketpair()
job = Job()
threads = [threading.Thread(target=f, args=(job,)) for f in (serve, client)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(job.text) > 0)
