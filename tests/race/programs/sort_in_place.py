# While it is sorted, a list looks empty.
# expect: unsafe ranking
import threading

ranking = list(range(50, 0, -1))


def rank():
    for _ in range(10):
        ranking.sort(key=lambda points: -points)


def leader():
    for _ in range(10):
        try:
            ranking[0]
        except IndexError:
            pass


threads = [threading.Thread(target=rank), threading.Thread(target=leader)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(ranking))
