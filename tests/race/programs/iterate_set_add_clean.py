import threading


class Room:
    def __init__(self):
        self.lock = threading.Lock()
        self.members = {f"guest{number}" for number in range(20)}

    def greet(self):
        with self.lock:
            present = list(self.members)
        return sum(len(member) for member in present)

    def enter(self, name):
        with self.lock:
            self.members.add(name)


room = Room()
threads = [
    threading.Thread(target=room.greet),
    threading.Thread(target=room.enter, args=("anna",)),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(room.members))
