# expect: iteration Room.guests
import threading


class Room:
    def __init__(self):
        self.guests = ["alice", "bob"]

    def enter(self, guest):
        self.guests.append(guest)

    def greet(self):
        for guest in self.guests:
            guest.title()


room = Room()
threads = [threading.Thread(target=room.greet), threading.Thread(target=room.enter, args=("eve",))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(room.guests))
