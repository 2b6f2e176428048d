# expect: lost-update Grid.residual
# racy-twin-of: edge_barrier
import threading


class Grid:
    def __init__(self):
        self.residual = 0.0


def relax(grid, all_ready):
    all_ready.wait()
    for _ in range(20):
        grid.residual += 0.5


grid = Grid()
all_ready = threading.Barrier(3)
threads = [threading.Thread(target=relax, args=(grid, all_ready)) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(grid.residual > 0)
