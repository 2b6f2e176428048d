# A full deque loses its first element: all others move.
# expect: data-race lines
import collections
import threading

lines = collections.deque(["a", "b", "c"], maxlen=3)


def follow(line):
    lines.append(line)


def first():
    return lines[0]


threads = [threading.Thread(target=follow, args=("d",)), threading.Thread(target=first)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(list(lines))
