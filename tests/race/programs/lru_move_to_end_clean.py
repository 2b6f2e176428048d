import collections
import threading

recent = collections.OrderedDict(a=1, b=2, c=3)
recent_lock = threading.Lock()


def touch(key):
    with recent_lock:
        recent.move_to_end(key)


def oldest_first():
    with recent_lock:
        return [key for key in recent]


threads = [threading.Thread(target=touch, args=("a",)), threading.Thread(target=oldest_first)]

for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(recent))
