# expect-one-of: iteration results | data-race results
import threading

results = [3, 1, 2]


def rank():
    for _ in range(10):
        sorted(results)


def finish():
    for number in range(10):
        results.append(number)


threads = [threading.Thread(target=rank), threading.Thread(target=finish)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(results))
