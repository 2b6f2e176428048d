# There is room: the first element stays where it is.
import collections
import threading

lines = collections.deque(["a", "b", "c"], maxlen=10)


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
