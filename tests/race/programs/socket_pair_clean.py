import socket
import threading


class Job:
    def __init__(self):
        self.text = ""


def client(job):
    job.text = "hello"
    ours.sendall(b"hello")
    ours.recv(2)
    job.text += "!"


def serve(job):
    theirs.recv(5)
    job.text += " world"
    theirs.sendall(b"ok")


ours, theirs = socket.socketpair()
job = Job()
threads = [threading.Thread(target=f, args=(job,)) for f in (serve, client)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(job.text)
