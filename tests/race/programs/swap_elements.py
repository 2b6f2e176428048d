# expect-one-of: lost-update cards[0] | lost-update cards[1] | data-race cards[0] | data-race cards[1]
import threading

cards = ["ace", "king"]


def shuffle():
    for _ in range(10):
        cards[0], cards[1] = cards[1], cards[0]


threads = [threading.Thread(target=shuffle) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(cards))
