# expect: data-race Reply.text
# racy-twin-of: edge_event
import threading


class Reply:
    def __init__(self):
        self.arrived = threading.Event()
        self.text = None


def fetch(reply):
    reply.arrived.set()
    reply.text = "hello"


def show(reply):
    reply.arrived.wait()
    return reply.text


reply = Reply()
threads = [threading.Thread(target=work, args=(reply,)) for work in (fetch, show)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(reply.text)
