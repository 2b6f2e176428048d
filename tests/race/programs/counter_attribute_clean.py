import threading


class Stats:
    def __init__(self):
        self.lock = threading.Lock()
        self.hits = 0


def serve(stats):
    for _ in range(50):
        with stats.lock:
            stats.hits += 1


stats = Stats()
workers = [threading.Thread(target=serve, args=(stats,)) for _ in range(2)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print(stats.hits)
