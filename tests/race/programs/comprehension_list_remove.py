# expect: iteration players
import threading

players = ["player %d" % number for number in range(30)]


def scoreboard():
    return [player.upper() for player in players]


def leave():
    for number in range(10):
        players.remove("player %d" % number)


threads = [threading.Thread(target=scoreboard), threading.Thread(target=leave)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(players))
