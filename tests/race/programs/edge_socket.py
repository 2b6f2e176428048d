# edge: socket
import socket
import threading


class Job:
    def __init__(self):
        self.text = ""


def client(job):
    with socket.create_connection(server.getsockname()) as connection:
        job.text = "hello"
        connection.sendall(b"hello")


def serve(job):
    connection, _ = server.accept()
    with connection:
        connection.recv(5)
        job.text += " world"


server = socket.create_server(("127.0.0.1", 0))
job = Job()
threads = [threading.Thread(target=f, args=(job,)) for f in (serve, client)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
server.close()
print(job.text)
