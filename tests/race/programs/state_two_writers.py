# expect: data-race Door.state
import threading


class Door:
    def __init__(self):
        self.state = "ajar"

    def open(self):
        self.state = "open"

    def close(self):
        self.state = "closed"


door = Door()
threads = [threading.Thread(target=door.open), threading.Thread(target=door.close)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(door.state != "ajar")
