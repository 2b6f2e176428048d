# What is changed after it was sent through TLS is not what the other one was told of.
# expect-one-of: data-race Job.text | lost-update Job.text
# racy-twin-of: edge_tls
import socket
import ssl
import threading


class Job:
    def __init__(self):
        self.text = ""


def anonymous(protocol):
    context = ssl.SSLContext(protocol)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")  # needs no certificate
    return context


def client(job):
    plain = socket.create_connection(server.getsockname())
    with anonymous(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(plain) as connection:
        connection.sendall(b"hello")
        job.text = "hello"


def serve(job):
    plain, _ = server.accept()
    with anonymous(ssl.PROTOCOL_TLS_SERVER).wrap_socket(plain, server_side=True) as connection:
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
print(len(job.text) > 0)
