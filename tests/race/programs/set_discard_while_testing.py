# expect: data-race blocked
import threading

blocked = {"mallory", "eve"}
refused = []


def unblock(name):
    blocked.discard(name)


def is_blocked(name):
    return name in blocked


threads = [
    threading.Thread(target=unblock, args=("eve",)),
    threading.Thread(target=is_blocked, args=("eve",)),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(blocked))
