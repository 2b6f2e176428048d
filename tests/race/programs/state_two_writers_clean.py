import threading


class Door:
    def __init__(self):
        self.state = "ajar"
        self.turn = threading.Semaphore(1)

    def open(self):
        with self.turn:
            self.state = "open"

    def close(self):
        with self.turn:
            self.state = "closed"


door = Door()
threads = [threading.Thread(target=door.open), threading.Thread(target=door.close)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(door.state != "ajar")
