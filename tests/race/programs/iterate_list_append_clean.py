# Copy on write: whoever subscribes puts a new list in place, and nobody changes a list.
import threading


class Bus:
    def __init__(self):
        self.lock = threading.Lock()
        self.listeners = [print] * 5

    def notify(self):
        with self.lock:
            listeners = self.listeners
        called = 0
        for listener in listeners:
            called += listener is not None

    def subscribe(self):
        for _ in range(10):
            with self.lock:
                self.listeners = [*self.listeners, max]


bus = Bus()
threads = [threading.Thread(target=bus.notify), threading.Thread(target=bus.subscribe)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(bus.listeners))
