# Another element is tested than is taken away.
import threading

blocked = {"mallory", "eve"}


def unblock(name):
    blocked.discard(name)


def is_blocked(name):
    return name in blocked


threads = [
    threading.Thread(target=unblock, args=("eve",)),
    threading.Thread(target=is_blocked, args=("mallory",)),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(blocked))
