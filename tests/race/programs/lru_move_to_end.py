# expect: check-then-act recent
import collections
import threading

recent = collections.OrderedDict(a=1, b=2, c=3)


def touch(key):
    if key in recent:
        recent.move_to_end(key)


threads = [threading.Thread(target=touch, args=(key,)) for key in ("a", "b")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(recent))
