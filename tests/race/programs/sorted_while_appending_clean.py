# Each ranks results of its own.
import threading


def race():
    results = [3, 1, 2]
    for number in range(10):
        results.append(number)
        sorted(results)


threads = [threading.Thread(target=race) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
