import threading


class Link:
    def __init__(self):
        self.lock = threading.Lock()
        self.received = bytearray(b"0123456789")

    def feed(self, data):
        with self.lock:
            self.received.extend(data)

    def frame(self):
        with self.lock:
            if len(self.received) >= 4:
                del self.received[:4]


link = Link()
threads = [
    threading.Thread(target=link.feed, args=(b"abcd",)),
    threading.Thread(target=link.frame),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(link.received))
