# edge: barrier
import threading

halves = [None, None]


class Half:
    def __init__(self):
        self.total = 0


def add(index, both_done):
    half = halves[index]
    half.total = sum(range(index * 10, index * 10 + 10))
    both_done.wait()
    abs(halves[1 - index].total)


both_done = threading.Barrier(2)
halves[:] = [Half(), Half()]
threads = [threading.Thread(target=add, args=(index, both_done)) for index in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(halves[0].total + halves[1].total)
