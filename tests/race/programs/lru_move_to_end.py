# expect: iteration recent
import collections
import threading

recent = collections.OrderedDict(a=1, b=2, c=3)


def touch(key):
    recent.move_to_end(key)


def oldest_first():
    try:
        return [key for key in recent]
    except RuntimeError:  # the order changed meanwhile
        return []


threads = [threading.Thread(target=touch, args=("a",)), threading.Thread(target=oldest_first)]

for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(recent))
