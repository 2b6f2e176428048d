# edge: socket
import socket
import threading


class Job:
    def __init__(self):
        self.text = ""


def client(job):
    with socket.socket(type=socket.SOCK_DGRAM) as anybody:
        job.text = "hello"
        anybody.sendto(b"hello", server.getsockname())
        anybody.recv(5)
        job.text += "!"


def serve(job):
    _, address = server.recvfrom(5)
    job.text += " world"
    with socket.socket(type=socket.SOCK_DGRAM) as connected:
        connected.connect(address)
        connected.send(b"done")


server = socket.socket(type=socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
job = Job()
threads = [threading.Thread(target=f, args=(job,)) for f in (serve, client)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
server.close()
print(job.text)
