import threading
import weakref


class Node:
    def __init__(self, name):
        self.name = name


def work(number):
    cache = weakref.WeakValueDictionary()
    keys = weakref.WeakKeyDictionary()
    seen = []
    for step in range(20):
        node = Node("node %d" % step)
        cache[step] = node
        keys[node] = step
        weakref.finalize(node, seen.append, step)
        reference = weakref.ref(node, lambda _: seen.append(-1))
        reference().name.upper()
    del node
    len(cache), len(keys), len(seen)


threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
