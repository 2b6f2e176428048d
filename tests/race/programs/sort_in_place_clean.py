import threading

ranking = list(range(50, 0, -1))
ranking_lock = threading.Lock()


def rank():
    for _ in range(10):
        with ranking_lock:
            ranking.sort(key=lambda points: -points)


def leader():
    for _ in range(10):
        with ranking_lock:
            ranking[0]


threads = [threading.Thread(target=rank), threading.Thread(target=leader)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(ranking))
