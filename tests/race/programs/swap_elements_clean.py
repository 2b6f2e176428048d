import threading

cards = ["ace", "king"]
dealer = threading.Lock()


def shuffle():
    for _ in range(10):
        with dealer:
            cards[0], cards[1] = cards[1], cards[0]


threads = [threading.Thread(target=shuffle) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(cards))
