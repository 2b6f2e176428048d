import threading


class Heartbeat:
    def __init__(self):
        self.lock = threading.Lock()
        self.beats = 0

    def run(self):
        while True:
            with self.lock:
                self.beats += 1

    def beaten(self):
        with self.lock:
            return self.beats


heartbeat = Heartbeat()
threading.Thread(target=heartbeat.run, daemon=True).start()
while heartbeat.beaten() < 100:
    pass
print("alive")
