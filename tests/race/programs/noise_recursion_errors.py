import threading


class Shy:
    def __repr__(self):
        return repr([self])


def recurse(depth, seen):
    seen.append(depth)
    return recurse(depth + 1, seen)


def work():
    for _ in range(3):
        seen = []
        try:
            recurse(0, seen)
        except RecursionError:
            seen.clear()
        try:
            repr(Shy())
        except RecursionError:
            seen.append("shy")
        try:
            sorted([3, 1, 2], key=lambda number: 1 // 0)
        except ZeroDivisionError:
            seen.append("sorted")


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
