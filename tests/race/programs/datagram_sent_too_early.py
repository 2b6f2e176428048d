# What is changed after a datagram was sent is not what the other one was told of.
# expect-one-of: data-race Job.text | lost-update Job.text
# racy-twin-of: edge_udp edge_unix_datagram
import socket
import threading


class Job:
    def __init__(self):
        self.text = ""


def client(job):
    with socket.socket(type=socket.SOCK_DGRAM) as connection:
        connection.connect(server.getsockname())
        connection.send(b"hello")
        job.text = "hello"


def serve(job):
    server.recvfrom(5)
    job.text += " world"


server = socket.socket(type=socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
job = Job()
threads = [threading.Thread(target=f, args=(job,)) for f in (serve, client)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
server.close()
print(len(job.text) > 0)
