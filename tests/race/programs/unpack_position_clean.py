import threading

position = (1, 1)
position_lock = threading.Lock()


def move():
    global position
    with position_lock:
        position = (2, 2)


def distance():
    with position_lock:
        x, y = position
    return x * x + y * y


threads = [threading.Thread(target=move), threading.Thread(target=distance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(distance())
