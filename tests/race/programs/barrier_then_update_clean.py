# Each writes its own cell; after the barrier all read all cells.
import threading

cells = [0.0] * 3
all_ready = threading.Barrier(3)


def relax(index):
    for round_number in range(5):
        cells[index] = round_number + index
        all_ready.wait()
        sum([cells[0], cells[1], cells[2]])
        all_ready.wait()


threads = [threading.Thread(target=relax, args=(index,)) for index in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(cells)
