# expect: lost-update counts[2]
import array
import threading

counts = array.array("l", [0] * 4)


def count():
    for _ in range(5):
        counts[2] += 1


threads = [threading.Thread(target=count) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(counts[2] > 0)
