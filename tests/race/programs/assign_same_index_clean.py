import threading

slots = [None] * 4


def claim(index, owner):
    slots[index] = owner


threads = [
    threading.Thread(target=claim, args=(index, owner))
    for index, owner in enumerate(("red", "blue"))
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(slots[1] is not None)
