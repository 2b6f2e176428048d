# list.append is atomic: only the order is open.
# expect: ordering events
import threading

events = []


def log(name):
    for number in range(10):
        events.append((name, number))


threads = [threading.Thread(target=log, args=(name,)) for name in ("north", "south")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(events))
