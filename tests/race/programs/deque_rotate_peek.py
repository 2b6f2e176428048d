# Whose turn it is, is the element at index 0: rotate() moves all of them.
# expect: data-race players
import collections
import threading

players = collections.deque(["anna", "ben", "cleo"])


def next_turn():
    players.rotate(-1)


def whose_turn():
    return players[0]


threads = [threading.Thread(target=next_turn), threading.Thread(target=whose_turn)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(players[0])
