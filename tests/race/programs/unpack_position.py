# Unpacking takes the elements one by one: half of the old position and half of the new one may come.
# expect-one-of: data-race position[0] | data-race position[1] | data-race position
import threading

position = [1, 1]


def move():
    position[0] = 2
    position[1] = 2


def distance():
    x, y = position
    return x * x + y * y


threads = [threading.Thread(target=move), threading.Thread(target=distance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(distance())
