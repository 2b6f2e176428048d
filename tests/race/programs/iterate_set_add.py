# expect: iteration Room.members
import threading


class Room:
    def __init__(self):
        self.members = {f"guest{number}" for number in range(20)}

    def greet(self):
        greeted = 0
        try:
            for member in self.members:
                greeted += len(member)
        except RuntimeError:  # the set changed its size
            pass
        return greeted

    def enter(self, name):
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
