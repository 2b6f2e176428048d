import collections
import threading

recent = collections.OrderedDict(a=1, b=2, c=3)
recent_lock = threading.Lock()


def touch(key):
    with recent_lock:
        if key in recent:
            recent.move_to_end(key)


threads = [threading.Thread(target=touch, args=(key,)) for key in ("a", "b")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(recent))
