# expect: data-race batch
import threading

batch = [1, 2, 3]


def collect():
    for number in range(10):
        batch.extend([number, number + 1])


def flush():
    for _ in range(10):
        batch.copy()


threads = [threading.Thread(target=collect), threading.Thread(target=flush)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(batch))
