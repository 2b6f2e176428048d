# edge: socket
import os
import socket
import tempfile
import threading


class Job:
    def __init__(self):
        self.text = ""


def client(job):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.connect(server.getsockname())
        job.text = "hello"
        connection.send(b"hello")


def serve(job):
    server.recvfrom(5)
    job.text += " world"


server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
with tempfile.TemporaryDirectory() as directory:
    server.bind(os.path.join(directory, "server"))
    job = Job()
    threads = [threading.Thread(target=f, args=(job,)) for f in (serve, client)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
server.close()
print(job.text)
