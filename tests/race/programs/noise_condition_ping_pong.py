import threading


class Table:
    def __init__(self):
        self.turn = threading.Condition()
        self.ball = "ping"
        self.hits = []

    def play(self, mine, other):
        for _ in range(30):
            with self.turn:
                self.turn.wait_for(lambda: self.ball == mine)
                self.hits.append(mine)
                self.ball = other
                self.turn.notify_all()


table = Table()
threads = [
    threading.Thread(target=table.play, args=("ping", "pong")),
    threading.Thread(target=table.play, args=("pong", "ping")),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(table.hits))
