# Race: `Service.address`, data-race: who waited in vain for the event goes on regardless.
# Hidden as long as the service is up in time.
import threading


class Service:
    def __init__(self):
        self.address = None
        self.ready = threading.Event()

    def run(self):
        self.address = ("localhost", 8080)
        self.ready.set()


def connect(service, made):
    service.ready.wait(timeout=0.001)
    made.append(service.address)


service, made = Service(), []
threads = [
    threading.Thread(target=service.run),
    threading.Thread(target=connect, args=(service, made)),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
