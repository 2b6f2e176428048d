# The daemon still runs when the program ends.
# expect: data-race Heartbeat.beats
import threading


class Heartbeat:
    def __init__(self):
        self.beats = 0

    def run(self):
        while True:
            self.beats += 1


heartbeat = Heartbeat()
threading.Thread(target=heartbeat.run, daemon=True).start()
while heartbeat.beats < 100:
    pass
print("alive")
