# First one, then the other.
import threading

players = ["player %d" % number for number in range(30)]


def scoreboard():
    return [player.upper() for player in players]


def leave():
    for number in range(10):
        players.remove("player %d" % number)


for work in (scoreboard, leave):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
print(len(players))
