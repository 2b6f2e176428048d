import threading


class Names(set):
    pass


pending = Names(["a", "b", "c"])
settled = threading.Event()


def settle(names):
    pending.difference_update(names)
    settled.set()


def snapshot():
    settled.wait()
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
