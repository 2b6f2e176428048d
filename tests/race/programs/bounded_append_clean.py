import threading

recent = []
recent_lock = threading.Lock()


def remember(items):
    for item in items:
        with recent_lock:
            if len(recent) < 10:
                recent.append(item)


threads = [threading.Thread(target=remember, args=(range(8),)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(recent) >= 8)
