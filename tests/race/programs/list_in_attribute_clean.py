import threading


class Room:
    def __init__(self):
        self.door = threading.Lock()
        self.guests = ["alice", "bob"]

    def enter(self, guest):
        with self.door:
            self.guests.append(guest)

    def greet(self):
        with self.door:
            for guest in self.guests:
                guest.title()


room = Room()
threads = [threading.Thread(target=room.greet), threading.Thread(target=room.enter, args=("eve",))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(room.guests))
