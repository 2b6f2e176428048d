# expect-one-of: data-race position['x'] | data-race position['y']
import threading

position = {"x": 0, "y": 0}


def move():
    for step in range(20):
        position["x"] = step
        position["y"] = -step


def draw():
    for _ in range(20):
        abs(position["x"] + position["y"])


threads = [threading.Thread(target=move), threading.Thread(target=draw)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(position)
