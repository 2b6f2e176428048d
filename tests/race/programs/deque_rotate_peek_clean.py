import collections
import threading

players = collections.deque(["anna", "ben", "cleo"])
turn = threading.Semaphore(1)


def next_turn():
    with turn:
        players.rotate(-1)


def whose_turn():
    with turn:
        return players[0]


threads = [threading.Thread(target=next_turn), threading.Thread(target=whose_turn)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(players[0])
