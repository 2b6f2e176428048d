# expect: data-race pending
import threading


class Names(set):
    pass


pending = Names(["a", "b", "c"])


def settle(names):
    pending.difference_update(names)


def snapshot():
    return pending | {"d"}


threads = [
    threading.Thread(target=settle, args=({"a", "c"},)),
    threading.Thread(target=snapshot),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(pending))
