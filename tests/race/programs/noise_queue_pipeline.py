import queue
import threading

STAGES = 3
queues = [queue.Queue(maxsize=4) for _ in range(STAGES + 1)]


def stage(source, target):
    while True:
        item = source.get()
        if item is None:
            target.put(None)
            break
        item["value"] = item["value"] * 2
        item.setdefault("path", []).append(len(item))
        target.put(item)


def feed():
    for number in range(40):
        queues[0].put({"value": number})
    queues[0].put(None)


threads = [threading.Thread(target=stage, args=pair) for pair in zip(queues, queues[1:])]
threads.append(threading.Thread(target=feed))
for thread in threads:
    thread.start()
total = 0
while (item := queues[-1].get()) is not None:
    total += item["value"]
for thread in threads:
    thread.join()
print(total)
