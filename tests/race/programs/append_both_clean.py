import threading

events = []
events_lock = threading.Lock()


def log(name):
    for number in range(10):
        with events_lock:
            events.append((name, number))


threads = [threading.Thread(target=log, args=(name,)) for name in ("north", "south")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(events))
