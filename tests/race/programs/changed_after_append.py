# A plate comes with what was done to it before it was appended, not with what is done then.
# expect: ordering stack
# expect-one-of: data-race Plate.washed | lost-update Plate.washed
# racy-twin-of: edge_publication
import threading

stack = []


class Plate:
    def __init__(self):
        self.washed = 0


def wash():
    plates = [Plate() for _ in range(10)]
    for plate in plates:
        stack.append(plate)
    with threading.Lock():
        pass
    for plate in plates:
        plate.washed = 1


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
