import array
import threading

counts = array.array("l", [0] * 4)


def count(index):
    for _ in range(5):
        counts[index] += 1


threads = [threading.Thread(target=count, args=(index,)) for index in (1, 2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(counts[2])
