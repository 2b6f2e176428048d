# Append and pop are atomic, so their order is all that is open; what was popped comes with all
# that was done to it before it was appended.
# expect: ordering stack
# edge: publication
import threading

stack = []


class Plate:
    def __init__(self):
        self.washed = 0


def wash():
    for _ in range(10):
        plate = Plate()
        plate.washed = 1
        stack.append(plate)


def dry():
    dried = 0
    while dried < 10:
        try:
            plate = stack.pop()
        except IndexError:
            continue
        plate.washed += 1
        dried += 1


threads = [threading.Thread(target=dry), threading.Thread(target=wash)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(stack))
